"""A double of Secret Manager's REST API, version 1, as documented; nothing real exists for it.

It keeps secrets in memory, numbers their versions, and answers and refuses as the service does: a version that is disabled or destroyed, a
secret that is not there or may not be read, a project without the API.

    POST   /v1/projects/P/secrets?secretId=S
    POST   /v1/projects/P/secrets/S:addVersion              {"payload": {"data": Base64}}
    GET    /v1/projects/P/secrets/S/versions/V:access       V is a number or latest
    POST   /v1/projects/P/secrets/S/versions/V:enable, :disable, :destroy

For tests, beside the API:

    POST /trouble {"project": P, "access": "denied" | "checksum" | "no-checksum" | "unavailable" | "", "calls": N}
                  the next N accesses in the project fail so
    GET  /calls   how often each secret was read
"""

import argparse
import base64
import binascii
import re
import threading

from google_api import Refused, serve

arguments = argparse.ArgumentParser()
arguments.add_argument("--port", type=int, required=True)
arguments = arguments.parse_args()

SECRETS = re.compile(r"/v1/projects/([^/]+)/secrets")
SECRET = re.compile(r"/v1/projects/([^/]+)/secrets/([^/:]+):addVersion")
VERSION = re.compile(r"/v1/projects/([^/]+)/secrets/([^/:]+)/versions/([^/:]+):(access|enable|disable|destroy)")
ID = re.compile(r"[A-Za-z0-9_-]{1,255}")
STATES = {"enable": "ENABLED", "disable": "DISABLED", "destroy": "DESTROYED"}

lock = threading.Lock()
secrets = {}
calls = {}
trouble = {}


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


def versions(project, secret):
    if (project, secret) not in secrets:
        raise Refused(404, "NOT_FOUND", f"Secret [projects/{project}/secrets/{secret}] not found or has no versions.")
    return secrets[project, secret]


def version(project, secret, name):
    found = versions(project, secret)
    number = len(found) if name == "latest" else int(name) if name.isdigit() else 0
    if not 1 <= number <= len(found):
        raise Refused(404, "NOT_FOUND", f"Secret Version [projects/{project}/secrets/{secret}/versions/{name}] not found.")
    return number, found[number - 1]


def access(project, secret, name):
    calls[secret] = calls.get(secret, 0) + 1
    kind = ""
    if trouble.get(project, ("", 0))[1] > 0:
        kind, left = trouble[project]
        trouble[project] = (kind, left - 1)
    resource = f"projects/{project}/secrets/{secret}/versions/{name}"
    if kind == "denied":
        message = f"Permission 'secretmanager.versions.access' denied for resource '{resource}' (or it may not exist)."
        raise Refused(403, "PERMISSION_DENIED", message)
    if kind == "unavailable":
        raise Refused(503, "UNAVAILABLE", "The service is currently unavailable.")
    number, kept = version(project, secret, name)
    resource = f"projects/{project}/secrets/{secret}/versions/{number}"
    if kept["state"] != "ENABLED":
        message = f"Secret Version [{resource}] is in {kept['state']} state."
        raise Refused(400, "FAILED_PRECONDITION", message)
    payload = {"data": base64.b64encode(kept["data"]).decode(), "dataCrc32c": str(crc32c(kept["data"]))}
    if kind == "checksum":
        payload["dataCrc32c"] = str(crc32c(kept["data"]) ^ 1)
    if kind == "no-checksum":
        del payload["dataCrc32c"]
    return {"name": resource, "payload": payload}


def route(method, path, query, value):
    if path == "/calls":
        return calls
    if path == "/trouble":
        trouble[value["project"]] = (value["access"], value["calls"])
        return {}
    if found := SECRETS.fullmatch(path):
        secret = query.get("secretId", [""])[0]
        if not ID.fullmatch(secret):
            raise Refused(400, "INVALID_ARGUMENT", "The provided Secret ID is invalid.")
        if (found[1], secret) in secrets:
            raise Refused(409, "ALREADY_EXISTS", f"Secret [projects/{found[1]}/secrets/{secret}] already exists.")
        secrets[found[1], secret] = []
        return {"name": f"projects/{found[1]}/secrets/{secret}"}
    if found := SECRET.fullmatch(path):
        try:
            data = base64.b64decode(value["payload"]["data"], validate=True)
        except (KeyError, binascii.Error) as error:
            raise Refused(400, "INVALID_ARGUMENT", "The payload is invalid.") from error
        kept = versions(found[1], found[2])
        kept.append({"data": data, "state": "ENABLED"})
        return {"name": f"projects/{found[1]}/secrets/{found[2]}/versions/{len(kept)}", "state": "ENABLED"}
    found = VERSION.fullmatch(path)
    if not found:
        raise Refused(404, "NOT_FOUND", f"no such method: {method} {path}")
    project, secret, name, verb = found.groups()
    if verb == "access":
        return access(project, secret, name)
    kept = version(project, secret, name)[1]
    if kept["state"] == "DESTROYED":
        raise Refused(400, "FAILED_PRECONDITION", "The version is destroyed.")
    kept["state"] = STATES[verb]
    if verb == "destroy":
        kept["data"] = b""
    return {"state": kept["state"]}


def locked(*call):
    with lock:
        return route(*call)


serve(arguments.port, locked)
