#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""GitHub's OIDC endpoint, STS, IAM Credentials and a door that wants a token,
in front of the sandbox's Admin API: what a workflow's job meets.

google.py ADMIN LIFE prints its URL; what happened is at /log, one word each.
POST /revoke makes every token worthless, POST /life gives access tokens another
life. They are taken for some time longer than they are said to live, so that a
busy machine is not taken for a client that sends them too late.
"""
import base64
import json
import sys
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

ADMIN, LIFE, GRACE = sys.argv[1].rstrip('/'), [float(sys.argv[2])], 60
PROVIDER = ('iam.googleapis.com/projects/123456789012/locations/global/'
            'workloadIdentityPools/gh/providers/github')
ACCOUNT = 'deploy@acme.iam.gserviceaccount.com'
SCOPE = 'https://www.googleapis.com/auth/cloud-platform'
OAUTH = 'urn:ietf:params:oauth:'
LOCK = threading.Lock()
LOG, ENDS = [], {}  # tokens of all kinds, and when each ends


def make(kind, life):
    with LOCK:
        LOG.append(kind)
        token = 's3cr3t.%s.%d' % (kind, len(LOG))
        ENDS[token] = time.time() + life
    return token


def holds(token, kind):
    with LOCK:
        return (token.startswith('s3cr3t.%s.' % kind)
                and ENDS.get(token, 0) > time.time())


def jwt(audience):
    def part(value):
        text = json.dumps(value).encode()
        return base64.urlsafe_b64encode(text).rstrip(b'=').decode()
    token = '.'.join([part({'alg': 'RS256'}),
                      part({'aud': audience, 'exp': int(time.time()) + 3600,
                            'jti': make('id', 3600)}), 'c2lnbmF0dXJl'])
    with LOCK:
        ENDS[token] = time.time() + 3600
    return token

SHOP = 'https://shop.example.run.app'


class Google(BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'

    def log_message(self, *_):
        pass

    def answer(self, status, value):
        body = value if isinstance(value, bytes) else json.dumps(value).encode()
        self.send_response(status)
        self.send_header('Content-Type', 'application/json')
        self.send_header('Content-Length', str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def bearer(self):
        kind, _, token = self.headers.get('Authorization', '').partition(' ')
        return token if kind == 'Bearer' else ''

    def body(self):
        return self.rfile.read(int(self.headers.get('Content-Length') or 0))

    def oidc(self, query):
        if (self.bearer() != 'r3quest' or query != {
                'api-version': ['2.0'], 'audience': ['https://' + PROVIDER]}):
            return self.answer(401, {'message': 'Unauthorized'})
        return self.answer(200, {'value': make('subject', 300)})

    def exchange(self, body):
        form = dict(urllib.parse.parse_qsl(body.decode(), strict_parsing=True))
        subject = form.pop('subject_token', '')
        if self.headers.get('Authorization') or form != {
                'grant_type': OAUTH + 'grant-type:token-exchange',
                'audience': '//' + PROVIDER, 'scope': SCOPE,
                'requested_token_type': OAUTH + 'token-type:access_token',
                'subject_token_type': OAUTH + 'token-type:jwt'}:
            return self.answer(400, {'error': 'invalid_request'})
        if not holds(subject, 'subject'):
            return self.answer(400, {'error': 'invalid_grant'})
        with LOCK:
            del ENDS[subject]  # each is to be got anew
        return self.answer(200, {
            'access_token': make('federated', 60), 'expires_in': 60,
            'token_type': 'Bearer',
            'issued_token_type': OAUTH + 'token-type:access_token'})

    def act(self, method, body):
        body = json.loads(body)
        if not holds(self.bearer(), 'federated'):
            return self.answer(401, {'error': {'status': 'UNAUTHENTICATED'}})
        if method == 'generateIdToken' and body.get('includeEmail'):
            if body['audience'] != SHOP:
                return self.answer(403, {'error': {
                    'status': 'PERMISSION_DENIED',
                    'message': "Permission 'iam.serviceAccounts."
                               "getOpenIdToken' denied"}})
            return self.answer(200, {'token': jwt(body['audience'])})
        if method != 'generateAccessToken' or body != {
                'scope': [SCOPE], 'lifetime': '3600s'}:
            return self.answer(400, {'error': {'status': 'INVALID_ARGUMENT'}})
        end = time.time() + LIFE[0]
        token = make('access', LIFE[0] + GRACE)
        return self.answer(200, {'accessToken': token, 'expireTime':
                                 time.strftime('%Y-%m-%dT%H:%M:%SZ',
                                               time.gmtime(end))})

    def private(self):
        with LOCK:
            known = self.bearer() in ENDS and self.bearer().count('.') == 2
        claims = self.bearer().split('.')[1] + '==' if known else ''
        if not known or json.loads(base64.urlsafe_b64decode(claims))[
                'aud'] != SHOP:
            return self.answer(401, {})
        return self.answer(200, {'status': 'healthy'})

    def admin(self, body):
        good = holds(self.bearer(), 'access')
        with LOCK:
            LOG.append('let-in' if good else 'turned-away')
        if not good:
            return self.answer(401, {'error': {'status': 'UNAUTHENTICATED',
                                               'message': 'bad token'}})
        request = urllib.request.Request(
            ADMIN + self.path, body or None, dict(self.headers),
            method=self.command)
        try:
            with urllib.request.urlopen(request, timeout=20) as reply:
                return self.answer(reply.status, reply.read())
        except urllib.error.HTTPError as error:
            return self.answer(error.code, error.read())

    def serve(self):
        url, body = urllib.parse.urlsplit(self.path), self.body()
        if url.path == '/log':
            with LOCK:
                return self.answer(200, LOG)
        if url.path == '/revoke':
            with LOCK:
                for token in ENDS:
                    ENDS[token] = 0
            return self.answer(200, {})
        if url.path == '/life':
            LIFE[0] = float(body)
            return self.answer(200, {})
        if url.path == '/oidc':
            return self.oidc(urllib.parse.parse_qs(url.query))
        if url.path == '/v1/token':
            return self.exchange(body)
        if url.path.startswith('/v1/projects/-/serviceAccounts/' + ACCOUNT):
            return self.act(url.path.rpartition(':')[2], body)
        if url.path == '/private':
            return self.private()
        return self.admin(body)

    do_GET = do_POST = do_PATCH = serve


server = ThreadingHTTPServer(('127.0.0.1', 0), Google)
print('http://127.0.0.1:%d' % server.server_port, flush=True)
server.serve_forever()
