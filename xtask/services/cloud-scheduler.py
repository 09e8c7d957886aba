"""A double of Cloud Scheduler's REST API, version 1, as documented; nothing real exists for it.

It keeps jobs in memory, refuses what the service refuses (ids, schedules, time zones, deadlines), and calls a job's target when
it is told to, with the headers of the service and a token of a real issuer. It keeps no time.

    GET, POST            /v1/projects/P/locations/L/jobs
    GET, PATCH, DELETE   /v1/projects/P/locations/L/jobs/J
    POST                 /v1/projects/P/locations/L/jobs/J:pause, :resume

For tests, beside the API:

    POST /fire    {"name": JOB, "time": RFC 3339, "claims": {…}, "headers": {…}} -> {"status": …, "body": …, "attempts": …}
    POST /trouble {"parent": "projects/P/locations/L", "calls": N}: the next N changes there are refused, as over a quota
    GET  /calls   how often each method of the API was called
"""

import argparse
import json
import re
import threading
import urllib.error
import urllib.parse
import urllib.request
import zoneinfo

from google_api import Refused, serve

arguments = argparse.ArgumentParser()
arguments.add_argument("--port", type=int, required=True)
arguments.add_argument("--issuer", required=True)
arguments = arguments.parse_args()

JOBS = re.compile(r"/v1/(projects/[^/]+/locations/[^/]+)/jobs")
JOB = re.compile(r"/v1/(projects/[^/]+/locations/[^/]+/jobs/[^/:]+)(?::(pause|resume))?")
ID = re.compile(r"[A-Za-z0-9_-]{1,500}")
ENUMS = {
    "state": ["STATE_UNSPECIFIED", "ENABLED", "PAUSED", "DISABLED", "UPDATE_FAILED"],
    "httpMethod": ["HTTP_METHOD_UNSPECIFIED", "POST", "GET", "HEAD", "PUT", "DELETE", "PATCH", "OPTIONS"],
}
MONTHS = "JAN FEB MAR APR MAY JUN JUL AUG SEP OCT NOV DEC".split()
DAYS = "SUN MON TUE WED THU FRI SAT".split()
FIELDS = [(0, 59, []), (0, 23, []), (1, 31, []), (1, 12, MONTHS), (0, 7, DAYS)]

lock = threading.Lock()
jobs = {}
calls = {}
trouble = {}


def invalid(message):
    return Refused(400, "INVALID_ARGUMENT", message)


def check_field(text, least, most, names):
    def number(word):
        if word.upper() in names:
            return names.index(word.upper()) + least
        if not word.isdigit() or not least <= int(word) <= most:
            raise invalid(f"Schedule or time zone is invalid: {word}")
        return int(word)

    for item in text.split(","):
        whole, _, step = item.partition("/")
        if step and not step.isdigit():
            raise invalid(f"Schedule or time zone is invalid: {item}")
        if whole != "*":
            first, _, last = whole.partition("-")
            if number(last or first) < number(first):
                raise invalid(f"Schedule or time zone is invalid: {item}")


def seconds(text):
    if not re.fullmatch(r"\d+(\.\d+)?s", text):
        raise invalid(f"Illegal duration format: {text}")
    return float(text[:-1])


def check(job):
    fields = job.get("schedule", "").split()
    if len(fields) != 5:
        raise invalid("Schedule or time zone is invalid.")
    for text, (least, most, names) in zip(fields, FIELDS):
        check_field(text, least, most, names)
    if job.get("timeZone", "Etc/UTC") not in zoneinfo.available_timezones():
        raise invalid("Schedule or time zone is invalid.")
    target = job.get("httpTarget")
    if not target or not re.match(r"https?://", target.get("uri", "")):
        raise invalid("Job must have a target; HttpTarget.uri must begin with http:// or https://.")
    if "oidcToken" in target and "@" not in target["oidcToken"].get("serviceAccountEmail", ""):
        raise invalid("HttpTarget.oidc_token.service_account_email is invalid.")
    if not 15 <= seconds(job.get("attemptDeadline", "180s")) <= 1800:
        raise invalid("Job.attempt_deadline must be in the interval [15 seconds, 30 minutes].")
    retry = job.get("retryConfig", {})
    if not 0 <= retry.get("retryCount", 0) <= 5:
        raise invalid("RetryConfig.retry_count must be between 0 and 5.")
    if len(job.get("description", "")) > 500:
        raise invalid("Job.description must be at most 500 characters.")


def named(value, field=None):
    """Enums may come as numbers; they are kept as names, as the service shows them."""
    if isinstance(value, dict):
        return {name: named(inner, name) for name, inner in value.items()}
    if field in ENUMS and isinstance(value, int):
        return ENUMS[field][value]
    return value


def snake_to_camel(path):
    return re.sub(r"_(\w)", lambda match: match[1].upper(), path)


def create(parent, job):
    name = job.get("name", "")
    if not name.startswith(f"{parent}/jobs/") or not ID.fullmatch(name.rsplit("/", 1)[1]):
        raise invalid("Job name must be formatted: projects/P/locations/L/jobs/J")
    check(job)
    if name in jobs:
        raise Refused(409, "ALREADY_EXISTS", f"Job {name} already exists.")
    jobs[name] = {"timeZone": "Etc/UTC", "attemptDeadline": "180s", **job, "state": "ENABLED"}
    return jobs[name]


def update(name, job, mask):
    paths = [snake_to_camel(path) for path in mask.split(",") if path]
    changed = dict(get(name))
    for path in paths or job:
        if path in job:
            changed[path] = job[path]
        else:
            changed.pop(path, None)
    check(changed)
    jobs[name] = {**changed, "name": name, "state": get(name)["state"]}
    return jobs[name]


def get(name):
    if name not in jobs:
        raise Refused(404, "NOT_FOUND", f"Job {name} not found.")
    return jobs[name]


def token(target, claims):
    oidc = target["oidcToken"]
    said = {"email": oidc["serviceAccountEmail"], "email_verified": True, "sub": "100", "azp": "100", **claims}
    form = {"grant_type": "client_credentials", "aud": oidc.get("audience") or target["uri"], "claims": json.dumps(said)}
    body = urllib.parse.urlencode(form).encode()
    with urllib.request.urlopen(f"{arguments.issuer}/token", body, timeout=10) as answer:
        return json.load(answer)["access_token"]


def fire(asked):
    with lock:
        job = get(asked["name"])
    if job["state"] != "ENABLED":
        raise Refused(400, "FAILED_PRECONDITION", f"Job is {job['state']}")
    target = job["httpTarget"]
    headers = {
        "User-Agent": "Google-Cloud-Scheduler",
        "X-CloudScheduler": "true",
        "X-CloudScheduler-JobName": job["name"].rsplit("/", 1)[1],
        "Content-Length": "0",
    }
    if "time" in asked:
        headers["X-CloudScheduler-ScheduleTime"] = asked["time"]
    if "oidcToken" in target:
        headers["Authorization"] = "Bearer " + token(target, asked.get("claims", {}))
    headers.update(asked.get("headers", {}))
    request = urllib.request.Request(target["uri"], b"", headers, method=target.get("httpMethod", "POST"))
    try:
        with urllib.request.urlopen(request, timeout=seconds(job["attemptDeadline"])) as answer:
            return {"status": answer.status, "body": answer.read().decode()}
    except urllib.error.HTTPError as refused:
        return {"status": refused.code, "body": refused.read().decode()}


def route(method, path, query, value):
    if path == "/fire":
        return fire(named(value))
    with lock:
        if path == "/calls":
            return calls
        if path == "/trouble":
            trouble[value["parent"]] = value["calls"]
            return {}
        return api(method, path, query, named(value))


def api(method, path, query, value):
    parent = "/".join(path.split("/")[2:6])
    if method != "GET" and trouble.get(parent, 0) > 0:
        trouble[parent] -= 1
        raise Refused(429, "RESOURCE_EXHAUSTED", "Quota exceeded for quota metric 'Write requests'.")
    calls[method] = calls.get(method, 0) + 1
    found = JOBS.fullmatch(path)
    if found and method == "POST":
        return create(found[1], value)
    if found and method == "GET":
        names = sorted(name for name in jobs if name.startswith(f"{found[1]}/jobs/"))
        first = int(query.get("pageToken", ["0"])[0] or 0)
        size = min(int(query.get("pageSize", ["0"])[0]) or 500, 500)
        more = {"nextPageToken": str(first + size)} if first + size < len(names) else {}
        return {"jobs": [jobs[name] for name in names[first : first + size]], **more}
    found = JOB.fullmatch(path)
    if not found:
        raise Refused(404, "NOT_FOUND", f"no such method: {method} {path}")
    name, verb = found[1], found[2]
    if verb:
        get(name)["state"] = "PAUSED" if verb == "pause" else "ENABLED"
        return get(name)
    if method == "PATCH":
        return update(name, value, query.get("updateMask", [""])[0])
    if method == "DELETE":
        get(name)
        del jobs[name]
        return {}
    return get(name)


serve(arguments.port, route)
