#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Secret Manager, Firebase Hosting, Slack and PagerDuty on loopback, as strict
as the real ones: what those would refuse is refused, in their words. Below
/am/ and /api/ it passes requests on to a real Alertmanager and a real service.

    fakes.py READY-FILE ALERTMANAGER SERVICE

writes its URL into READY-FILE. Everything that was asked is in /control/log.
/control/hold makes the next request of a kind wait, before or after it has done
its work, until whoever asked is gone: it is never answered, and then there is a
file READY-FILE.held. It owns its state,
in memory, and nothing of it survives.
"""
import base64
import binascii
import json
import os
import re
import sys
import threading
import urllib.error
import urllib.parse
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

TOKEN = 'Bearer e2e-token'
ROUTING_KEY = '0123456789abcdef0123456789abcdef'
HELD_SECONDS = 120

lock = threading.Lock()
log = []
holds = []      # {'method', 'path' (a pattern), 'when'}: each is taken once
secrets = {}    # (project, secret) -> [(bytes, state)]
sites = {}      # site -> [release], the oldest first
messages = []   # of Slack
incidents = {}  # of PagerDuty: dedup_key -> how often it was triggered
upstreams = {}


class Refusal(Exception):
    def __init__(self, status, body, kind='application/json'):
        self.status = status
        self.body = body
        self.kind = kind


def google(code, status, message):
    return Refusal(code, json.dumps({'error': {
        'code': code, 'message': message, 'status': status}}))


def slack_says(status, word):
    return Refusal(status, word, 'text/plain')


def crc32c(data):
    crc = 0xffffffff
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82f63b78 if crc & 1 else 0)
    return crc ^ 0xffffffff


def only(value, *keys):
    """An object with no other keys: unknown ones are errors at Google."""
    if not isinstance(value, dict):
        raise google(400, 'INVALID_ARGUMENT', 'Invalid JSON payload.')
    for key in value:
        if key not in keys:
            raise google(400, 'INVALID_ARGUMENT',
                         f'Unknown name "{key}": Cannot find field.')
    return value


# ---- Secret Manager ----

def version_name(project, secret, number):
    return f'projects/{project}/secrets/{secret}/versions/{number}'


def secret_access(project, secret, which):
    versions = secrets.get((project, secret))
    if not versions:
        raise google(404, 'NOT_FOUND',
                     f'Secret [projects/{project}/secrets/{secret}] not '
                     'found or has no versions.')
    number = len(versions) if which == 'latest' else int(which)
    if not 1 <= number <= len(versions):
        raise google(404, 'NOT_FOUND', 'Secret Version not found.')
    data, state = versions[number - 1]
    if state != 'ENABLED':
        raise google(400, 'FAILED_PRECONDITION',
                     f'Secret Version is in {state} state.')
    return {'name': version_name(project, secret, number), 'payload': {
        'data': base64.b64encode(data).decode(),
        'dataCrc32c': str(crc32c(data))}}


def secret_add(project, secret, body):
    payload = only(only(body, 'payload').get('payload'), 'data', 'dataCrc32c')
    if (project, secret) not in secrets:
        raise google(404, 'NOT_FOUND', f'Secret [{secret}] not found.')
    try:
        data = base64.b64decode(payload.get('data', ''), validate=True)
    except (binascii.Error, TypeError):
        raise google(400, 'INVALID_ARGUMENT', 'Base64 decoding failed.')
    if len(data) > 65536:
        raise google(400, 'INVALID_ARGUMENT', 'The payload is too large.')
    checked = 'dataCrc32c' in payload
    if checked and payload['dataCrc32c'] != str(crc32c(data)):
        raise google(400, 'INVALID_ARGUMENT',
                     'The provided data_crc32c does not match.')
    secrets[project, secret].append((data, 'ENABLED'))
    return {'name': version_name(project, secret,
                                 len(secrets[project, secret])),
            'state': 'ENABLED', 'clientSpecifiedPayloadChecksum': checked}


def secret_permissions(project, secret, body):
    asked = only(body, 'permissions').get('permissions')
    if not isinstance(asked, list) or not asked:
        raise google(400, 'INVALID_ARGUMENT', 'No permissions were given.')
    known = (project, secret) in secrets
    return {'permissions': asked} if known else {}


# ---- Firebase Hosting ----

def site_list(site, query):
    if not 1 <= int(query.get('pageSize', '100')) <= 100:
        raise google(400, 'INVALID_ARGUMENT', 'pageSize')
    return {'releases': sites[site][::-1][:int(query.get('pageSize', 100))]}


def site_release(site, query, body):
    body = only(body, 'type', 'message')
    name = query.get('versionName', '')
    version = next((r['version'] for r in sites[site]
                    if r['version']['name'] == name), None)
    if not version or version['status'] != 'FINALIZED':
        raise google(400, 'INVALID_ARGUMENT', f'No such version: {name}')
    if body.get('type') not in (None, 'DEPLOY', 'ROLLBACK') or \
            len(body.get('message', '')) > 512:
        raise google(400, 'INVALID_ARGUMENT', 'type or message is invalid')
    number = len(sites[site]) + 1
    sites[site].append({
        'name': f'sites/{site}/channels/live/releases/{number}',
        'type': body.get('type', 'DEPLOY'), 'version': version,
        'message': body.get('message', ''),
        'releaseTime': f'2026-01-01T00:00:{number:02}Z'})
    return sites[site][-1]


# ---- Slack ----

TEXTS = {'header': ('plain_text', 150), 'section': ('mrkdwn', 3000)}


def text_ok(text, kind, size):
    return isinstance(text, dict) and text.get('type') == kind and \
        isinstance(text.get('text'), str) and 0 < len(text['text']) <= size


def block_ok(block):
    kind = block.get('type')
    if kind == 'context':
        elements = block.get('elements', [])
        return 0 < len(elements) <= 10 and \
            all(text_ok(e, 'mrkdwn', 3000) for e in elements)
    if kind not in TEXTS:
        return False
    fields = block.get('fields')
    if fields is not None:
        return kind == 'section' and 0 < len(fields) <= 10 and \
            all(text_ok(f, 'mrkdwn', 2000) for f in fields)
    return text_ok(block.get('text'), *TEXTS[kind])


def slack(body):
    if not isinstance(body, dict):
        raise slack_says(400, 'invalid_payload')
    if not body.get('text'):
        raise slack_says(400, 'no_text')
    if len(body.get('blocks', [])) > 50 or \
            not all(block_ok(b) for b in body.get('blocks', [])):
        raise slack_says(400, 'invalid_blocks')
    messages.append(body)
    return 'ok'


# ---- PagerDuty ----

def event_problems(event):
    payload = event.get('payload', {})
    if event.get('routing_key') != ROUTING_KEY:
        yield "'routing_key' is invalid"
    if len(event.get('dedup_key', '')) > 255:
        yield "'dedup_key' is too long"
    if event.get('event_action') == 'resolve':
        if not event.get('dedup_key'):
            yield "'dedup_key' is missing"
        return
    if event.get('event_action') != 'trigger':
        yield "'event_action' is invalid"
    if not 0 < len(payload.get('summary', '')) <= 1024:
        yield "'payload.summary' is invalid"
    if not payload.get('source'):
        yield "'payload.source' is missing"
    if payload.get('severity') not in ('critical', 'error', 'warning', 'info'):
        yield "'payload.severity' is invalid"


def pagerduty(event):
    problems = list(event_problems(event)) if isinstance(event, dict) \
        else ['no object']
    if problems:
        raise Refusal(400, json.dumps({
            'status': 'invalid event', 'message': 'Event object is invalid',
            'errors': problems}))
    key = event['dedup_key']
    if event['event_action'] == 'trigger':
        incidents[key] = incidents.get(key, 0) + 1
    else:
        incidents.pop(key, None)
    return {'status': 'success', 'message': 'Event processed',
            'dedup_key': key}


# ---- which is which ----

SECRET = r'/v1/projects/([\w-]+)/secrets/([\w-]+)'
SITE = r'/v1beta1/sites/([\w-]+)/channels/live/releases'


def google_api(request, path, query, body):
    if request.headers.get('Authorization') != TOKEN:
        raise google(401, 'UNAUTHENTICATED', 'Request had invalid '
                     'authentication credentials.')
    found = re.fullmatch(SECRET + r'/versions/(latest|\d+):access', path)
    if found and request.command == 'GET':
        return secret_access(*found.groups())
    found = re.fullmatch(SECRET + ':addVersion', path)
    if found and request.command == 'POST':
        return secret_add(*found.groups(), body)
    found = re.fullmatch(SECRET + ':testIamPermissions', path)
    if found and request.command == 'POST':
        return secret_permissions(*found.groups(), body)
    found = re.fullmatch(SITE, path)
    if found and found[1] not in sites:
        raise google(404, 'NOT_FOUND', 'Requested entity was not found.')
    if found and request.command == 'GET':
        return site_list(found[1], query)
    if found and request.command == 'POST':
        return site_release(found[1], query, body)
    raise google(404, 'NOT_FOUND', 'Method not found.')


def answer(request, path, query, body):
    """The status and what is answered."""
    if request.command == 'POST' and request.headers.get(
            'Content-Type', '').split(';')[0] != 'application/json':
        raise Refusal(415, '{}')
    if path == '/services/T0/B0/XXXX' and request.command == 'POST':
        return 200, slack(body)
    if path == '/v2/enqueue' and request.command == 'POST':
        return 202, pagerduty(body)
    return 200, google_api(request, path, query, body)


def pass_on(request, raw):
    base, rest = next((url, request.path[len(prefix):])
                      for prefix, url in upstreams.items()
                      if request.path.startswith(prefix))
    kind = request.headers.get('Content-Type')
    asked = urllib.request.Request(
        base + rest, method=request.command, data=raw or None,
        headers={'Content-Type': kind} if kind else {})
    try:
        with urllib.request.urlopen(asked, timeout=20) as reply:
            return reply.status, reply.read(), reply.headers.get_content_type()
    except urllib.error.HTTPError as error:
        return error.code, error.read(), error.headers.get_content_type()


# ---- what tests say and ask ----

def deploy(site, version):
    number = len(sites[site]) + 1
    sites[site].append({
        'name': f'sites/{site}/channels/live/releases/{number}',
        'type': 'DEPLOY', 'message': '',
        'releaseTime': f'2026-01-01T00:00:{number:02}Z',
        'version': {'name': f'sites/{site}/versions/{version}',
                    'status': 'FINALIZED'}})


def put_site(site, versions):
    sites[site] = []
    for version in versions:
        deploy(site, version)


def state():
    return {
        'secrets': {f'{p}/{s}': [d.decode() for d, _ in v]
                    for (p, s), v in secrets.items()},
        'sites': {s: [r['version']['name'].split('/')[-1] for r in v]
                  for s, v in sites.items()},
        'messages': messages, 'incidents': incidents}


def control(path, body):
    if path == '/control/hold':
        holds.append(body)
    elif path == '/control/deploy':
        deploy(body['site'], body['version'])
    elif path == '/control/reset':
        holds.clear()
        messages.clear()
        incidents.clear()
        log.clear()
        for name, values in body.get('secrets', {}).items():
            secrets[tuple(name.split('/'))] = \
                [(v.encode(), 'ENABLED') for v in values]
        for site, versions in body.get('sites', {}).items():
            put_site(site, versions)
    return log if path == '/control/log' else state()


def take_hold(request):
    for hold in holds:
        if hold['method'] == request.command and \
                re.search(hold['path'], request.path):
            holds.remove(hold)
            return hold
    return None


class Handler(BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'

    def log_message(self, *args):
        pass

    def say(self, status, body, kind='application/json'):
        if not isinstance(body, (bytes, str)):
            body = json.dumps(body)
        if isinstance(body, str):
            body = body.encode()
        self.send_response(status)
        self.send_header('Content-Type', kind)
        self.send_header('Content-Length', str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def wait_for_ever(self, hold):
        """Never answered: whoever asked is going to be killed."""
        with open(sys.argv[1] + '.held', 'w'):
            pass
        self.connection.settimeout(HELD_SECONDS)
        try:
            self.connection.recv(1)
        except OSError:
            pass
        self.close_connection = True

    def work(self, path, query, raw):
        if any(self.path.startswith(p) for p in upstreams):
            return pass_on(self, raw)
        try:
            body = json.loads(raw) if raw else None
        except ValueError:
            body = None
        with lock:
            return *answer(self, path, query, body), 'application/json'

    def handle_one(self):
        raw = self.rfile.read(int(self.headers.get('Content-Length', 0)))
        path, _, text = self.path.partition('?')
        query = dict(urllib.parse.parse_qsl(text))
        if path.startswith('/control/'):
            with lock:
                self.say(200, control(path, json.loads(raw or '{}')))
            return
        with lock:
            hold = take_hold(self)
        if hold and hold['when'] == 'before':
            self.wait_for_ever(hold)
            return
        try:
            status, body, kind = self.work(path, query, raw)
        except Refusal as refusal:
            status, body, kind = refusal.status, refusal.body, refusal.kind
        with lock:
            log.append({'method': self.command, 'path': self.path,
                        'status': status})
        if hold:
            self.wait_for_ever(hold)
        else:
            self.say(status, body, kind)

    do_GET = do_POST = do_DELETE = do_PUT = handle_one


def main():
    upstreams['/am/'] = sys.argv[2] + '/'
    upstreams['/api/'] = sys.argv[3] + '/api/'
    server = ThreadingHTTPServer(('127.0.0.1', 0), Handler)
    server.daemon_threads = True
    with open(sys.argv[1] + '.new', 'w') as ready:
        ready.write(f'http://127.0.0.1:{server.server_port}\n')
    os.rename(sys.argv[1] + '.new', sys.argv[1])
    server.serve_forever()


main()
