"""Deploys `template.yaml` to an emulator, as `sam deploy` does to AWS, and does an operator's manual steps.

    deploy.py deploy < request.json     prints {"outputs": {...}, "created": true|false}
    deploy.py delete < request.json

Reads one JSON object from standard input and writes one to standard output. Progress and errors go to standard error,
one line each. The request:

    endpoint, region, stack     the emulator, and the name of the stack
    template                    path of the template
    binaries                    logical id of a function -> path of its binary
    parameters                  the template's parameters
    secrets                     id of a secret -> JSON value
    users, password             [{"name", "email", "groups", "rep"?}], all with the same password

Why Python: the emulator needs it anyway, and the SDK crates for this would add minutes to a first build.
"""

import hashlib
import io
import json
import sys
import zipfile
from pathlib import Path

import boto3
import yaml
from botocore.config import Config
from botocore.exceptions import ClientError, WaiterError

BUCKET = "leadwatch-deployments"
# CloudFormation accepts a longer template only from a bucket.
INLINE_TEMPLATE_BYTES_MAX = 51_200


class Failed(Exception):
    """An error that a person can act on."""


def say(text):
    print(text, file=sys.stderr, flush=True)


# ---------------------------------------------------------------------------------------------------------------------
# The template


class TemplateLoader(yaml.SafeLoader):
    """Reads CloudFormation's short forms, such as `!Ref x`, as their long forms."""


def short_form(loader, suffix, node):
    if isinstance(node, yaml.ScalarNode):
        value = loader.construct_scalar(node)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        value = loader.construct_mapping(node, deep=True)
    if suffix == "GetAtt" and isinstance(value, str):
        value = value.split(".", 1)
    return {suffix if suffix in ("Ref", "Condition") else f"Fn::{suffix}": value}


TemplateLoader.add_multi_constructor("!", short_form)
# A date in a policy document is text.
TemplateLoader.add_constructor("tag:yaml.org,2002:timestamp", yaml.SafeLoader.construct_yaml_str)


def packaged(template, binaries, upload):
    """Points each function's `CodeUri` to its uploaded package."""
    globals_ = template.get("Globals", {}).get("Function", {})
    globals_.pop("CodeUri", None)
    functions = {k: r for k, r in template["Resources"].items() if r["Type"] == "AWS::Serverless::Function"}
    if missing := sorted(functions.keys() - binaries.keys()):
        raise Failed(f"no binary was built for {', '.join(missing)}")
    for name, resource in functions.items():
        resource["Properties"]["CodeUri"] = upload(package(Path(binaries[name])))
        resource.pop("Metadata", None)
    return template


def package(binary):
    """A deployment package: the binary under the name that the runtime starts. Uncompressed, because it stays on this machine."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        entry = zipfile.ZipInfo("bootstrap", (1980, 1, 1, 0, 0, 0))
        entry.external_attr = 0o755 << 16
        archive.writestr(entry, binary.read_bytes())
    return buffer.getvalue()


# ---------------------------------------------------------------------------------------------------------------------
# The stack


class Stack:
    def __init__(self, request):
        self.request = request
        self.name = request["stack"]
        session = boto3.Session(
            aws_access_key_id="test", aws_secret_access_key="test", region_name=request["region"]
        )

        def client(service):
            return session.client(
                service,
                endpoint_url=request["endpoint"],
                config=Config(
                    retries={"max_attempts": 2}, read_timeout=60, s3={"addressing_style": "path"}
                ),
            )

        self.client = client
        self.cloudformation = client("cloudformation")

    def upload(self, content, suffix="zip"):
        key = f"{hashlib.sha256(content).hexdigest()}.{suffix}"
        self.client("s3").put_object(Bucket=BUCKET, Key=key, Body=content)
        return f"s3://{BUCKET}/{key}"

    def exists(self):
        try:
            stacks = self.cloudformation.describe_stacks(StackName=self.name)["Stacks"]
        except ClientError:
            return False
        return stacks[0]["StackStatus"] not in ("DELETE_COMPLETE", "REVIEW_IN_PROGRESS")

    def deploy(self):
        s3 = self.client("s3")
        try:
            s3.create_bucket(Bucket=BUCKET)
        except ClientError as error:
            if error.response["Error"]["Code"] not in ("BucketAlreadyOwnedByYou", "BucketAlreadyExists"):
                raise
        source = yaml.load(Path(self.request["template"]).read_text(encoding="utf-8"), TemplateLoader)
        if unknown := sorted(self.request["parameters"].keys() - source["Parameters"].keys()):
            raise Failed(f"the template has no parameter {', '.join(unknown)}")
        body = json.dumps(packaged(source, self.request["binaries"], self.upload), separators=(",", ":"))
        arguments = {
            "StackName": self.name,
            "Capabilities": ["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"],
            "Parameters": [
                {"ParameterKey": k, "ParameterValue": v} for k, v in self.request["parameters"].items()
            ],
        }
        if len(body.encode()) <= INLINE_TEMPLATE_BYTES_MAX:
            arguments["TemplateBody"] = body
        else:
            location = self.upload(body.encode(), "json").removeprefix("s3://")
            arguments["TemplateURL"] = f"{self.request['endpoint']}/{location}"
        created = not self.exists()
        try:
            if created:
                self.cloudformation.create_stack(**arguments, OnFailure="DO_NOTHING")
                self.wait("stack_create_complete")
            else:
                self.cloudformation.update_stack(**arguments)
                self.wait("stack_update_complete")
        except ClientError as error:
            if "No updates are to be performed" not in str(error):
                raise
        return created

    def wait(self, what):
        try:
            self.cloudformation.get_waiter(what).wait(
                StackName=self.name, WaiterConfig={"Delay": 0.25, "MaxAttempts": 1200}
            )
        except WaiterError as error:
            raise Failed(self.reasons() or str(error)) from error

    def reasons(self):
        events = self.cloudformation.describe_stack_events(StackName=self.name)["StackEvents"]
        failed = [e for e in events if e["ResourceStatus"].endswith("_FAILED")]
        return "; ".join(
            f"{e['LogicalResourceId']}: {e.get('ResourceStatusReason', 'no reason given')}" for e in reversed(failed)
        )

    def outputs(self):
        stack = self.cloudformation.describe_stacks(StackName=self.name)["Stacks"][0]
        if not stack["StackStatus"].endswith("_COMPLETE") or "ROLLBACK" in stack["StackStatus"]:
            raise Failed(f"the stack is {stack['StackStatus']}: {self.reasons()}")
        return {o["OutputKey"]: o["OutputValue"] for o in stack.get("Outputs", [])}

    def delete(self):
        """Deletes the stack, and everything that a deletion on AWS retains: tables, user pool, keys and buckets. A bucket
        with locked objects stays, if the emulator honors the lock."""
        if not self.exists():
            return
        outputs = self.outputs()
        self.cloudformation.delete_stack(StackName=self.name)
        self.wait("stack_delete_complete")
        dynamodb = self.client("dynamodb")
        for table in ("LeadsTableName", "AuditTableName", "KeysTableName"):
            forgiving(dynamodb.delete_table, TableName=outputs[table])
        if pool := outputs.get("UserPoolId"):
            forgiving(self.client("cognito-idp").delete_user_pool, UserPoolId=pool)
        for key in ("CheckpointKeyArn", "DataKeyArn"):
            forgiving(self.client("kms").schedule_key_deletion, KeyId=outputs[key])
        s3 = self.client("s3")
        for bucket in ("CheckpointCacheBucketName", "CheckpointBucketName"):
            forgiving(self.empty, s3, outputs[bucket])
            forgiving(s3.delete_bucket, Bucket=outputs[bucket])

    @staticmethod
    def empty(s3, bucket):
        for page in s3.get_paginator("list_object_versions").paginate(Bucket=bucket):
            for found in page.get("Versions", []) + page.get("DeleteMarkers", []):
                s3.delete_object(Bucket=bucket, Key=found["Key"], VersionId=found["VersionId"])


def forgiving(call, **arguments):
    try:
        call(**arguments)
    except ClientError as error:
        if not error.response["Error"]["Code"].startswith("ResourceNotFound"):
            say(f"could not delete: {error}")


# ---------------------------------------------------------------------------------------------------------------------
# Manual steps of an operator


def set_secrets(stack):
    client = stack.client("secretsmanager")
    for secret, value in stack.request["secrets"].items():
        text = json.dumps(value)
        try:
            client.put_secret_value(SecretId=secret, SecretString=text)
        except client.exceptions.ResourceNotFoundException:
            client.create_secret(Name=secret, SecretString=text)


def verify_sender(stack, address):
    """Registers the sender in SES, as an operator does once. An emulator accepts any address."""
    client = stack.client("sesv2")
    try:
        client.create_email_identity(EmailIdentity=address)
    except client.exceptions.AlreadyExistsException:
        pass


def lock_checkpoints(stack, bucket):
    """Sets the bucket's lock from the template, which the emulator's CloudFormation ignores and its S3 enforces."""
    retention = {"Mode": "COMPLIANCE", "Days": int(stack.request["parameters"]["CheckpointRetentionDays"])}
    stack.client("s3").put_object_lock_configuration(
        Bucket=bucket,
        ObjectLockConfiguration={"ObjectLockEnabled": "Enabled", "Rule": {"DefaultRetention": retention}},
    )


def add_users(stack, pool):
    client = stack.client("cognito-idp")
    for user in stack.request["users"]:
        name = {"UserPoolId": pool, "Username": user["name"]}
        try:
            client.admin_create_user(
                **name,
                MessageAction="SUPPRESS",
                # An emulator's own password may violate the pool's policy.
                TemporaryPassword=stack.request["password"],
                UserAttributes=[
                    {"Name": "email", "Value": user["email"]},
                    {"Name": "email_verified", "Value": "true"},
                ],
            )
        except client.exceptions.UsernameExistsException:
            pass
        client.admin_set_user_password(**name, Password=stack.request["password"], Permanent=True)
        for group in user["groups"]:
            client.admin_add_user_to_group(**name, GroupName=group)


def main():
    stack = Stack(json.load(sys.stdin))
    match sys.argv[1:]:
        case ["deploy"]:
            created = stack.deploy()
            outputs = stack.outputs()
            set_secrets(stack)
            lock_checkpoints(stack, outputs["CheckpointBucketName"])
            if address := stack.request["parameters"].get("MailFrom"):
                verify_sender(stack, address)
            if pool := outputs.get("UserPoolId"):
                add_users(stack, pool)
            json.dump({"outputs": outputs, "created": created}, sys.stdout)
        case ["delete"]:
            stack.delete()
            json.dump({}, sys.stdout)
        case _:
            raise Failed("usage: deploy.py deploy|delete")


if __name__ == "__main__":
    try:
        main()
    except (Failed, ClientError, OSError) as error:
        say(str(error))
        sys.exit(1)
