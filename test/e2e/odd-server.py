#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Servers that a command line may meet on its way to a daemon, on loopback.

    odd-server.py READY-FILE cut HOST:PORT    a proxy that cuts each connection
                                              after half a second
    odd-server.py READY-FILE swallow HOST:PORT   a proxy that gives the first
                                              request and keeps the answer
    odd-server.py READY-FILE hold HOST:PORT   a proxy that keeps the answer to
                                              the first POST, and cuts when
                                              there is READY-FILE.cut
    odd-server.py READY-FILE ahead HOST:PORT   a proxy that says of the first
                                              decision that it was moved on
    odd-server.py READY-FILE late URL N       a daemon whose journals lack their
                                              last entry in the first N answers
    odd-server.py READY-FILE github TOKEN     where a GitHub job gets its token
    odd-server.py READY-FILE KIND             answers what no daemon answers:
                                              endless, types, names, leads-away

writes its URL into READY-FILE, and what was asked into READY-FILE.log, a line
each. It ends with the test that started it."""
import json
import os
import re
import socket
import sys
import threading
import time
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

CUT_SECONDS = 0.5
ROW = {'rollout': 'backend-20261129-141722-ppzn',
       'service': 'projects/acme/locations/us-central1/services/backend',
       'candidate': 'c-2', 'stable': 'c-1', 'policy': 'e2e',
       'phase': 'baking', 'reason': '', 'starter': 'alice',
       'started': '2026-11-29T14:17:22.000Z', 'ended': None}

told_once = []
ready, kind = sys.argv[1:3]
argument = sys.argv[3] if len(sys.argv) > 3 else ''


def tell(port):
    with open(ready + '.new', 'w', encoding='utf-8') as file:
        file.write(f'http://127.0.0.1:{port}\n')
    os.rename(ready + '.new', ready)


def carry(source, target):
    try:
        while data := source.recv(65536):
            target.sendall(data)
    except OSError:
        pass


def cut(client, address):
    with client, socket.create_connection(address) as upstream:
        for pair in ((client, upstream), (upstream, client)):
            threading.Thread(target=carry, args=pair, daemon=True).start()
        time.sleep(CUT_SECONDS)
        for end in (client, upstream):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass


def swallow(client, address):
    with client, socket.create_connection(address) as upstream:
        upstream.sendall(client.recv(65536))
        upstream.recv(65536)


def is_whole(data):
    head, _, body = data.partition(b'\r\n\r\n')
    length = re.search(rb'(?i)\r\ncontent-length: (\d+)', head + b'\r\n')
    return (b'\r\n\r\n' in data and
            len(body) >= int(length.group(1) if length else 0))


def hold(client, address):
    with client, socket.create_connection(address) as upstream:
        data = client.recv(65536)
        while data and not data.startswith(b'POST '):
            upstream.sendall(data)
            client.sendall(upstream.recv(65536))
            data = client.recv(65536)
        while not is_whole(data):
            data += client.recv(65536)
        upstream.sendall(data)
        upstream.recv(65536)
        while not os.path.exists(ready + '.cut'):
            time.sleep(0.02)


def ahead(client, address):
    answer = json.dumps({'code': 'moved-on', 'status': 409, 'title': 'Conflict',
                         'detail': 'the rollout has moved on since'}).encode()
    head = ('HTTP/1.1 409 Conflict\r\nContent-Type: application/problem+json'
            f'\r\nContent-Length: {len(answer)}\r\n\r\n').encode()
    with client, socket.create_connection(address) as upstream:
        threading.Thread(target=carry, args=(upstream, client),
                         daemon=True).start()
        while data := client.recv(65536):
            if told_once or b'/decisions ' not in data.split(b'\r\n', 1)[0]:
                upstream.sendall(data)
                continue
            told_once.append(True)
            while not is_whole(data):
                data += client.recv(65536)
            client.sendall(head + answer)


def pass_on(client, address):
    with client, socket.create_connection(address) as upstream:
        threading.Thread(target=carry, args=(client, upstream),
                         daemon=True).start()
        carry(upstream, client)


def proxy():
    host, port = argument.rsplit(':', 1)
    server = socket.create_server(('127.0.0.1', 0))
    tell(server.getsockname()[1])
    way = {'ahead': ahead, 'cut': cut, 'hold': hold,
           'swallow': swallow}[kind]
    while True:
        client, _ = server.accept()
        threading.Thread(target=way, args=(client, (host, int(port))),
                         daemon=True).start()
        way = pass_on if kind in ('hold', 'swallow') else way


class Odd(BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'

    def log_message(self, *_):
        with open(ready + '.log', 'a', encoding='utf-8') as file:
            file.write(f'{self.command} {self.path} '
                       f'{self.headers.get("Authorization", "-")}\n')

    def say(self, body, status=200, **headers):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header('Content-Length', str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def endless(self):
        self.send_response(200)
        self.send_header('Content-Type', 'application/json')
        self.end_headers()
        chunk = b'{"rollouts": [' + b' ' * 65536
        try:
            while True:
                self.wfile.write(chunk)
        except OSError:
            self.close_connection = True

    def late(self):
        names = ('Accept', 'Authorization', 'Last-Event-ID')
        headers = {name: self.headers[name] for name in names
                   if name in self.headers}
        asked = urllib.request.Request(argument + self.path, headers=headers)
        with urllib.request.urlopen(asked, timeout=60) as answer:
            body, of = answer.read(), answer.headers['Content-Type']
        if '/events?after=' in self.path and self.server.late:
            self.server.late -= 1
            body = b''.join(body.splitlines(True)[:-1])
        self.say(body, **{'Content-Type': of})

    def do_GET(self):
        row = dict(ROW)
        if kind == 'late':
            self.late()
        elif kind == 'github':
            self.say(json.dumps({'value': argument}).encode())
        elif kind == 'endless':
            self.endless()
        elif kind == 'leads-away':
            self.say(b'', 302, Location='http://127.0.0.1:9/stolen')
        elif kind == 'names':
            row['rollout'] = 'a\x1b[2Jb'
            self.say(json.dumps({'rollouts': [row], 'cursor': None}).encode())
        else:
            row['started'] = 7
            self.say(json.dumps({'rollouts': [row], 'cursor': None}).encode())


if kind in ('ahead', 'cut', 'hold', 'swallow'):
    proxy()
else:
    server = ThreadingHTTPServer(('127.0.0.1', 0), Odd)
    server.daemon_threads = True
    server.late = int(sys.argv[4]) if kind == 'late' else 0
    tell(server.server_address[1])
    server.serve_forever()
