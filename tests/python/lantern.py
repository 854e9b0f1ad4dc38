"""Lantern, a conforming Heroku add-on that uses only Python's standard library.

    python3 lantern.py PORT MANIFEST

Keeps its resources in memory and prints its URL. GET /alive returns the number of resources that are not deprovisioned.
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
lamps = {}  # by uuid; deprovisioned ones are kept, so that their uuids cannot be provisioned again
sessions = {}
used = set()


def same(one, other):
    return hmac.compare_digest(one.encode(), other.encode())


class HttpError(Exception):
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
            raise HttpError(405 if path.startswith("/heroku/") else 404, "Not found.")
        except HttpError as error:
            # the unread rest of the body would be parsed as the next request
            self.close_connection = True
            self.answer(error.status, {"message": error.message}, error.headers)
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
        unauthorized = HttpError(401, "The credentials are missing or wrong.", WWW_Authenticate='Basic realm="Lantern"')
        scheme, _, credentials = self.headers.get("Authorization", "").partition(" ")
        try:
            user, _, password = base64.b64decode(credentials, validate=True).decode().partition(":")
        except (binascii.Error, ValueError):
            raise unauthorized from None
        correct = same(user, SLUG) & same(password, PASSWORD)
        if scheme.lower() != "basic" or not correct:
            raise unauthorized

    def read(self):
        try:
            length = int(self.headers.get("Content-Length", 0))
        except ValueError:
            raise HttpError(400, "Content-Length is not a number.") from None
        if length > LIMIT:
            raise HttpError(413, "The body is too long.")
        body = self.rfile.read(length)
        if len(body) < length:
            raise HttpError(400, "The body is shorter than its Content-Length.")
        return body

    def json(self):
        try:
            body = json.loads(self.read())
        except (ValueError, RecursionError):
            raise HttpError(400, "The body is not JSON.") from None
        if not isinstance(body, dict):
            raise HttpError(400, "The body is not an object.")
        return body

    def plan(self, body):
        plan = body.get("plan")
        if not isinstance(plan, str) or not plan:
            raise HttpError(400, "plan is not a string.")
        if plan not in PLANS:
            raise HttpError(422, "This plan does not exist: choose basic or premium.")
        return plan

    def provision(self):
        self.authenticate()
        body = self.json()
        uuid = body.get("uuid")
        if not isinstance(uuid, str) or not uuid:
            raise HttpError(400, "uuid is not a string.")
        plan = self.plan(body)
        with lock:
            new = {"first_plan": plan, "plan": plan, "token": secrets.token_hex(16), "alive": True}
            lamp = lamps.setdefault(uuid, new)
            if not lamp["alive"]:
                raise HttpError(410, "This lamp was deprovisioned.")
            if lamp["first_plan"] != plan:
                raise HttpError(422, "This lamp was already provisioned with another plan.")
        config = {"LANTERN_URL": f"https://{uuid}:{lamp['token']}@lantern.example/", "LANTERN_TOKEN": lamp["token"]}
        self.answer(200, {"id": uuid, "config": config, "message": "Your lamp is lit."})

    def find(self, name):
        lamp = lamps.get(name)
        if lamp is None:
            raise HttpError(404, "There is no such lamp.")
        if not lamp["alive"]:
            raise HttpError(410, "This lamp was deprovisioned.")
        return lamp

    def plan_change(self, name):
        self.authenticate()
        plan = self.plan(self.json())
        with lock:
            self.find(name)["plan"] = plan
        self.answer(200, {"message": f"Your lamp is on {plan} now."})

    def deprovision(self, name):
        self.authenticate()
        with lock:
            self.find(name)["alive"] = False
        self.answer(204)

    def sign_on(self):
        message = "This sign-in link has expired or was already used. Please open the add-on again."
        forbidden = HttpError(403, message)
        try:
            fields = urllib.parse.parse_qs(self.read().decode(), keep_blank_values=True, strict_parsing=True)
        except ValueError:
            raise forbidden from None
        if any(len(values) > 1 for values in fields.values()):
            raise forbidden
        form = {name: values[0] for name, values in fields.items()}
        timestamp, uuid = form.get("timestamp", ""), form.get("resource_id") or form.get("id", "")
        if not (timestamp.isascii() and timestamp.isdigit()) or not -60 <= time.time() - int(timestamp) < 301:
            raise forbidden
        sha1 = hashlib.sha1(f"{uuid}:{SALT}:{timestamp}".encode()).hexdigest()
        signed = f"{uuid}:{SALT}:{timestamp}:{form.get('user_id')}:{form.get('email')}"
        expected = {"resource_token": sha1, "token": sha1, TOKENS[0]: hashlib.sha256(signed.encode()).hexdigest()}
        kind = next((kind for kind in TOKENS if kind in form), None)
        if kind is None or not same(form[kind], expected[kind]):
            raise forbidden
        with lock:
            if expected[kind] in used:
                raise forbidden
            used.update({expected[kind], sha1})
            if not lamps.get(uuid, {"alive": False})["alive"]:
                raise HttpError(404, "There is no such lamp.")
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
            raise HttpError(403, "You are not signed in.")
        self.answer(200, {"plan": lamp["plan"]})

    def alive(self):
        with lock:
            self.answer(200, {"alive": sum(lamp["alive"] for lamp in lamps.values()), "made": len(lamps)})


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, *_):
        pass  # disconnects are expected


server = Server(("127.0.0.1", int(sys.argv[1])), Lantern)
print(f"http://127.0.0.1:{server.server_address[1]}", flush=True)
server.serve_forever()
