"""Runs the AWS emulator for `leadctl`, and stops it when `leadctl` ends.

Standard input is a pipe from `leadctl`. When the pipe closes, however `leadctl` ended, this process kills its whole
process group: the emulator and the functions' processes. So even `kill -9` leaves nothing behind.

This program adds six features that the emulator lacks. Each is optional: if a later version of the emulator does not
fit, a line says so, and the stack still runs.

* Fills in `<aws.scheduler.scheduled-time>` in a schedule's input, as AWS does.
* Checks schedules every second instead of every ten, so that ticks come every minute.
* Checks a batch to a queue by the permission for the single call, as AWS does; batches have no permission of their own.
* Supports the policy condition `s3:if-none-match`, for puts that must not replace an object.
* Supports the policy condition `dynamodb:LeadingKeys`, and checks each item of a transaction on its own.
* Also writes the functions' logs to a file, each line after the function's name.
"""

import json
import os
import signal
import sys
import threading
from datetime import datetime, timezone

SCHEDULED_TIME = "<aws.scheduler.scheduled-time>"


def watch_parent():
    """Waits until the other end of the pipe closes, then kills the process group. Nothing here needs a clean shutdown."""
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


def support_policies_on_conditional_puts():
    from ministack.core import iam_actions

    context = iam_actions.s3_service_context

    def s3_service_context(action, query_params, path, headers, *rest, **named):
        keys = dict(context(action, query_params, path, headers, *rest, **named) or {})
        values = [value for name, value in (headers or {}).items() if name.lower() == "if-none-match"]
        return {**keys, **({"s3:if-none-match": values[0]} if values else {})}

    iam_actions.s3_service_context = s3_service_context


LEADING_KEYS = "dynamodb:LeadingKeys"


class KeyedArn(str):
    """The ARN of a table, with the partition keys of the requested items."""

    leading_keys = ()


def leading_keys(detail):
    """The partition key of the item in one part of a request. Every table here calls it `pk`."""
    item = detail.get("Key") or detail.get("Item") or {}
    return [value for value in item.get("pk", {}).values() if isinstance(value, str)]


def support_policies_on_leading_keys():
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
        print(f"this version of the emulator does not let us {what}: {error!r}", flush=True)


def main():
    # On Ctrl-C, leadctl closes the pipe.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=watch_parent, daemon=True, name="parent").start()
    attempt("fill in the scheduled time", fill_in_scheduled_time)
    attempt("permit batches like single calls", permit_batches_like_single_calls)
    attempt("support policies on conditional puts", support_policies_on_conditional_puts)
    attempt("support policies on leading keys", support_policies_on_leading_keys)
    if path := os.environ.get("LEADWATCH_FUNCTION_LOG"):
        attempt("copy the functions' logs", copy_function_logs, path)
    sys.argv = ["ministack"]
    from ministack.app import main as ministack

    ministack()


if __name__ == "__main__":
    main()
