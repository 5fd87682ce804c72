"""PyPI's `twilio`, as a peer: one request in JSON on stdin, one answer in JSON on stdout."""

import json
import sys
from datetime import datetime, timedelta, timezone

from twilio.base.exceptions import TwilioRestException
from twilio.request_validator import RequestValidator
from twilio.rest import Client

# The names of npm's library, which the requests use, in this one's.
NAMES = {"statusCallback": "status_callback", "mediaUrl": "media_url"}


def connect(request):
    client = Client(request["account"], request["token"])
    client.api.base_url = request["url"]
    return client


def create(client, text):
    return client.messages.create(**{NAMES.get(name, name): value for name, value in rename_from(text).items()})


def rename_from(text):
    return {("from_" if name == "from" else name): value for name, value in text.items()}


def client(request):
    """Sends, fetches and lists through the API at `url`."""
    client = connect(request)
    pair = {"to": request["to"], "from_": request["from"]}
    created = [plain(create(client, text)) for text in request["texts"]]
    since = datetime.now(timezone.utc) - timedelta(hours=1)
    sent = lambda **filter: [message.sid for message in client.messages.list(**pair, **filter)]
    return {
        "created": created,
        "listed": [plain(message) for message in client.messages.list(**pair, page_size=2, limit=100)],
        "fetched": plain(client.messages(created[0]["sid"]).fetch()),
        "sent_after": sent(date_sent_after=since),
        "sent_before": sent(date_sent_before=since),
    }


def refused(request):
    """The code of the error that a text brings."""
    try:
        create(connect(request), request["text"])
    except TwilioRestException as error:
        return {"code": error.code, "status": error.status}


class Repeated(dict):
    """Parameters of which some are lists, as web frameworks give them to the library."""

    def getlist(self, name):
        value = self[name]
        return value if isinstance(value, list) else [value]


def sign(request):
    validator = RequestValidator(request["token"])
    return [validator.compute_signature(one["url"], Repeated(one["params"])) for one in request["requests"]]


def validate(request):
    validator = RequestValidator(request["token"])
    return [
        validator.validate(one["url"], Repeated(one["params"]), one["signature"]) for one in request["requests"]
    ]


def plain(message):
    return {
        "sid": message.sid,
        "status": message.status,
        "from": message.from_,
        "to": message.to,
        "body": message.body,
        "direction": message.direction,
        "segments": message.num_segments,
        "media": message.num_media,
        "code": message.error_code,
        "created": int(message.date_created.timestamp() * 1000),
    }


request = json.load(sys.stdin)
print(json.dumps({"client": client, "refused": refused, "sign": sign, "validate": validate}[request["do"]](request)))
