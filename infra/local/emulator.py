"""Runs the AWS emulator for `leadctl`, and ends it when `leadctl` is gone.

Standard input is a pipe from `leadctl`. When it closes, however `leadctl` ended, this process ends its whole process
group: the emulator and the functions' processes under it. So nothing is left behind even by `kill -9`.

Six things that the emulator leaves out are added, each of them optional: if a later version changes under our feet,
a line says so and the stack still runs.

* A schedule's input may name `<aws.scheduler.scheduled-time>`; AWS fills it in.
* Schedules are looked at every second instead of every ten, so that a tick a minute is one.
* A batch to a queue needs the permission of the single call, as on AWS; there is none for the batch.
* A policy may ask whether an object is put only where none is (`s3:if-none-match`).
* A policy may name the items that may be touched (`dynamodb:LeadingKeys`); of a transaction each item is asked for by itself.
* Function logs are also written to a file, one line each with the function's name before it.
"""

import json
import os
import signal
import sys
import threading
from datetime import datetime, timezone

SCHEDULED_TIME = "<aws.scheduler.scheduled-time>"


def watch_parent():
    """Returns from the read only when the other end of the pipe is closed. Nothing here is worth a polite ending."""
    while os.read(0, 4096):
        pass
    os.killpg(0, signal.SIGKILL)


def fill_in_scheduled_time():
    from ministack.services import eventbridge, scheduler

    scheduler._SCHEDULE_TICK_INTERVAL = 1
    invoke = eventbridge._invoke_target

    def invoke_target(target, event, *rest, **named):
        text = target.get("Input") or ""
        if event.get("Source") == "aws.scheduler" and SCHEDULED_TIME in text:
            at = datetime.fromtimestamp(int(event["Time"]), tz=timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
            target = {**target, "Input": text.replace(SCHEDULED_TIME, at)}
        return invoke(target, event, *rest, **named)

    eventbridge._invoke_target = invoke_target


def permit_batches_like_single_calls():
    from ministack.core import iam_actions

    extract = iam_actions.extract_iam_action

    def extract_iam_action(service, *rest, **named):
        action = extract(service, *rest, **named)
        if service == "sqs" and action and action.endswith("MessageBatch"):
            return action.removesuffix("Batch")
        return action

    iam_actions.extract_iam_action = extract_iam_action


def tell_policies_of_conditional_puts():
    from ministack.core import iam_actions

    context = iam_actions.s3_service_context

    def s3_service_context(action, query_params, path, headers, *rest, **named):
        keys = dict(context(action, query_params, path, headers, *rest, **named) or {})
        values = [value for name, value in (headers or {}).items() if name.lower() == "if-none-match"]
        return {**keys, **({"s3:if-none-match": values[0]} if values else {})}

    iam_actions.s3_service_context = s3_service_context


LEADING_KEYS = "dynamodb:LeadingKeys"


class KeyedArn(str):
    """The ARN of a table, with the partition keys of the items that are asked for there."""

    leading_keys = ()


def leading_keys(detail):
    """The partition key of the item that one part of a request names. Every table here calls it `pk`."""
    item = detail.get("Key") or detail.get("Item") or {}
    return [value for value in item.get("pk", {}).values() if isinstance(value, str)]


def tell_policies_of_leading_keys():
    from ministack.core import iam_actions, iam_evaluator

    context, checks, enforce = (
        iam_actions.dynamodb_service_context,
        iam_actions.dynamodb_transaction_checks,
        iam_evaluator.enforce,
    )

    def dynamodb_service_context(body):
        keys = dict(context(body) or {})
        request = json.loads(body or b"{}")
        if request.get("TableName") and not request.get("IndexName") and (found := leading_keys(request)):
            keys[LEADING_KEYS] = found
        return keys

    def dynamodb_transaction_checks(action, body, region, account):
        found = checks(action, body, region, account)
        if not found:
            return found
        asked = []
        for item in json.loads(body or b"{}").get("TransactItems", []):
            for member, of in iam_actions._DYNAMODB_TRANSACT_ITEM_ACTIONS.items():
                if isinstance(detail := item.get(member), dict):
                    arn = KeyedArn(iam_actions._dynamodb_table_arn(detail["TableName"], region, account))
                    arn.leading_keys = leading_keys(detail)
                    asked.append((of, arn))
        return asked

    def enforce_with_keys(*arguments, resource_arn="*", service_context=None, **named):
        if keys := getattr(resource_arn, "leading_keys", None):
            service_context = {**(service_context or {}), LEADING_KEYS: list(keys)}
        return enforce(*arguments, resource_arn=resource_arn, service_context=service_context, **named)

    iam_actions.dynamodb_service_context = dynamodb_service_context
    iam_actions.dynamodb_transaction_checks = dynamodb_transaction_checks
    iam_evaluator.enforce = enforce_with_keys


def copy_function_logs(path):
    from ministack.services import lambda_svc

    emit = lambda_svc._emit_lambda_logs
    lock = threading.Lock()
    log = open(path, "a", encoding="utf-8", buffering=1)

    def emit_logs(func, request_id, log_text, *rest, **named):
        name = (func.get("config") or func).get("FunctionName", "?")
        with lock:
            for line in (log_text or "").splitlines():
                if line.strip():
                    log.write(f"{name} {line}\n")
        return emit(func, request_id, log_text, *rest, **named)

    lambda_svc._emit_lambda_logs = emit_logs


def attempt(what, step, *arguments):
    try:
        step(*arguments)
    except Exception as error:
        print(f"this version of the emulator lets us not {what}: {error!r}", flush=True)


def main():
    # Ctrl-C on the terminal is for leadctl, which then closes the pipe.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=watch_parent, daemon=True, name="parent").start()
    attempt("fill in the scheduled time", fill_in_scheduled_time)
    attempt("permit batches like single calls", permit_batches_like_single_calls)
    attempt("tell policies of conditional puts", tell_policies_of_conditional_puts)
    attempt("tell policies of leading keys", tell_policies_of_leading_keys)
    if path := os.environ.get("LEADWATCH_FUNCTION_LOG"):
        attempt("copy the functions' logs", copy_function_logs, path)
    sys.argv = ["ministack"]
    from ministack.app import main as ministack

    ministack()


if __name__ == "__main__":
    main()
