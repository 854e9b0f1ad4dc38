"""Lantern, an add-on for Heroku in Python's standard library alone: a good vendor in another language.

    python3 lantern.py PORT MANIFEST

It keeps its resources in memory and prints where it listens. GET /alive tells how many nobody has removed.
"""

import base64
import binascii
import hashlib
import hmac
import http.cookies
import http.server
import json
import secrets
import sys
import threading
import time
import urllib.parse

MANIFEST = json.load(open(sys.argv[2], encoding="utf-8"))
SLUG, API = MANIFEST["id"], MANIFEST["api"]
PASSWORD, SALT = API["password"], API["sso_salt"]
PLANS = ("basic", "premium")
LIMIT = 256 * 1024
TOKENS = ("user_scoped_resource_token", "resource_token", "token")

lock = threading.Lock()
lamps = {}  # uuid: what was ordered; removed ones stay, so that their uuids never live again
sessions = {}
used = set()


def same(one, other):
    return hmac.compare_digest(one.encode(), other.encode())


class Refusal(Exception):
    def __init__(self, status, message, **headers):
        super().__init__(message)
        self.status, self.message, self.headers = status, message, headers


class Lantern(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 30

    def log_message(self, *_):
        pass

    def handle_call(self):
        try:
            path = urllib.parse.urlsplit(self.path).path.rstrip("/")
            route = {
                ("POST", "/heroku/resources"): self.provision,
                ("POST", "/heroku/sso"): self.sign_on,
                ("GET", "/dashboard"): self.dashboard,
                ("GET", "/alive"): self.alive,
            }.get((self.command, path))
            if route:
                return route()
            name = path.removeprefix("/heroku/resources/")
            if name != path and self.command in ("PUT", "DELETE"):
                name = urllib.parse.unquote_to_bytes(name).decode("utf-8", "replace")
                return self.plan_change(name) if self.command == "PUT" else self.deprovision(name)
            raise Refusal(405 if path.startswith("/heroku/") else 404, "There is nothing here.")
        except Refusal as refusal:
            # what was not read of the body would be taken for the next request
            self.close_connection = True
            self.answer(refusal.status, {"message": refusal.message}, refusal.headers)
        except ConnectionError:
            self.close_connection = True

    do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = handle_call

    def answer(self, status, body=None, headers=None):
        content = b"" if body is None else json.dumps(body).encode()
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name.replace("_", "-"), value)
        if content:
            self.send_header("Content-Type", "application/json")
        if status != 204:
            self.send_header("Content-Length", str(len(content)))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(content)

    def authenticate(self):
        no = Refusal(401, "These are not the credentials.", WWW_Authenticate='Basic realm="Lantern"')
        scheme, _, credentials = self.headers.get("Authorization", "").partition(" ")
        try:
            user, _, password = base64.b64decode(credentials, validate=True).decode().partition(":")
        except (binascii.Error, ValueError):
            raise no from None
        right = same(user, SLUG) & same(password, PASSWORD)
        if scheme.lower() != "basic" or not right:
            raise no

    def read(self):
        try:
            length = int(self.headers.get("Content-Length", 0))
        except ValueError:
            raise Refusal(400, "Content-Length is no number.") from None
        if length > LIMIT:
            raise Refusal(413, "This is longer than any order.")
        body = self.rfile.read(length)
        if len(body) < length:
            raise Refusal(400, "The body ended before its end.")
        return body

    def json(self):
        try:
            body = json.loads(self.read())
        except (ValueError, RecursionError):
            raise Refusal(400, "The body is no JSON.") from None
        if not isinstance(body, dict):
            raise Refusal(400, "The body is no object.")
        return body

    def plan(self, body):
        plan = body.get("plan")
        if not isinstance(plan, str) or not plan:
            raise Refusal(400, "plan is no text.")
        if plan not in PLANS:
            raise Refusal(422, "There is no such plan: choose basic or premium.")
        return plan

    def provision(self):
        self.authenticate()
        body = self.json()
        uuid = body.get("uuid")
        if not isinstance(uuid, str) or not uuid:
            raise Refusal(400, "uuid is no text.")
        plan = self.plan(body)
        with lock:
            lamp = lamps.setdefault(uuid, {"ordered": plan, "plan": plan, "token": secrets.token_hex(16), "alive": True})
            if not lamp["alive"]:
                raise Refusal(410, "This lamp was removed.")
            if lamp["ordered"] != plan:
                raise Refusal(422, "This lamp was ordered with another plan.")
        config = {"LANTERN_URL": f"https://{uuid}:{lamp['token']}@lantern.example/", "LANTERN_TOKEN": lamp["token"]}
        self.answer(200, {"id": uuid, "config": config, "message": "Your lamp is lit."})

    def find(self, name):
        lamp = lamps.get(name)
        if lamp is None:
            raise Refusal(404, "There is no such lamp.")
        if not lamp["alive"]:
            raise Refusal(410, "This lamp was removed.")
        return lamp

    def plan_change(self, name):
        self.authenticate()
        plan = self.plan(self.json())
        with lock:
            self.find(name)["plan"] = plan
        self.answer(200, {"message": f"Your lamp burns {plan} now."})

    def deprovision(self, name):
        self.authenticate()
        with lock:
            self.find(name)["alive"] = False
        self.answer(204)

    def sign_on(self):
        forbidden = Refusal(403, "Please go back and open the add-on once more.")
        try:
            fields = urllib.parse.parse_qs(self.read().decode(), keep_blank_values=True, strict_parsing=True)
        except ValueError:
            raise forbidden from None
        if any(len(values) > 1 for values in fields.values()):
            raise forbidden
        form = {name: values[0] for name, values in fields.items()}
        stamp, uuid = form.get("timestamp", ""), form.get("resource_id") or form.get("id", "")
        if not (stamp.isascii() and stamp.isdigit()) or not -60 <= time.time() - int(stamp) < 301:
            raise forbidden
        sha1 = hashlib.sha1(f"{uuid}:{SALT}:{stamp}".encode()).hexdigest()
        person = f"{uuid}:{SALT}:{stamp}:{form.get('user_id')}:{form.get('email')}"
        right = {"resource_token": sha1, "token": sha1, TOKENS[0]: hashlib.sha256(person.encode()).hexdigest()}
        kind = next((kind for kind in TOKENS if kind in form), None)
        if kind is None or not same(form[kind], right[kind]):
            raise forbidden
        with lock:
            if right[kind] in used:
                raise forbidden
            used.update({right[kind], sha1})
            if not lamps.get(uuid, {"alive": False})["alive"]:
                raise Refusal(404, "There is no such lamp.")
            session = secrets.token_hex(16)
            sessions[session] = uuid
        cookie = f"lantern={session}; Path=/; HttpOnly; SameSite=Lax"
        self.answer(302, None, {"Location": "/dashboard", "Set_Cookie": cookie, "Cache_Control": "no-store"})

    def dashboard(self):
        cookies = http.cookies.SimpleCookie(self.headers.get("Cookie", ""))
        session = cookies["lantern"].value if "lantern" in cookies else None
        with lock:
            lamp = lamps.get(sessions.get(session), {"alive": False})
        if not lamp["alive"]:
            raise Refusal(403, "You are not signed in.")
        self.answer(200, {"plan": lamp["plan"]})

    def alive(self):
        with lock:
            self.answer(200, {"alive": sum(lamp["alive"] for lamp in lamps.values()), "made": len(lamps)})


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, *_):
        pass  # whoever hangs up has a reason


server = Server(("127.0.0.1", int(sys.argv[1])), Lantern)
print(f"http://127.0.0.1:{server.server_address[1]}", flush=True)
server.serve_forever()
