"""An S3 on loopback that checks who asks: moto, with a bucket and somebody who may use it.

    s3.py PORT

Prints a line when it is ready: {"url", "bucket", "key", "secret"}. Answers each line that it reads with the
bucket's keys, as a JSON list. It keeps everything in memory, and ends when its input does.
"""

import json
import sys

import boto3
import requests
from botocore.config import Config
from moto.server import ThreadedMotoServer

BUCKET = "photos"
ALL = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}

port = int(sys.argv[1])
url = f"http://127.0.0.1:{port}"


def client(service, key, secret):
    once = Config(retries={"max_attempts": 0})
    who = {"aws_access_key_id": key, "aws_secret_access_key": secret}
    return boto3.client(service, endpoint_url=url, region_name="us-east-1", config=once, **who)


server = ThreadedMotoServer(ip_address="127.0.0.1", port=port, verbose=False)
server.start()
client("s3", "first", "first").create_bucket(Bucket=BUCKET)
iam = client("iam", "first", "first")
iam.create_user(UserName="crewline")
iam.put_user_policy(UserName="crewline", PolicyName="all", PolicyDocument=json.dumps(ALL))
made = iam.create_access_key(UserName="crewline")["AccessKey"]
# From now on nobody is let in without a right signature.
requests.post(f"{url}/moto-api/reset-auth", data=b"0", timeout=5).raise_for_status()

key, secret = made["AccessKeyId"], made["SecretAccessKey"]
print(json.dumps({"url": url, "bucket": BUCKET, "key": key, "secret": secret}), flush=True)
for _ in sys.stdin:
    listed = client("s3", key, secret).list_objects_v2(Bucket=BUCKET)
    print(json.dumps([one["Key"] for one in listed.get("Contents", [])]), flush=True)
server.stop()
