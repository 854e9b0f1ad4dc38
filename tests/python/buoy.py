"""Buoy, a conforming add-on for DigitalOcean and Scalingo that uses only Python's standard library.

    python3 buoy.py PORT digitalocean|scalingo MANIFEST

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

MARKETPLACE = sys.argv[2]
MANIFEST = json.load(open(sys.argv[3], encoding="utf-8"))
OCEAN = MARKETPLACE == "digitalocean"
USER = MANIFEST["app_slug" if OCEAN else "username"]
PASSWORD, SALT = MANIFEST["password"], MANIFEST["salt" if OCEAN else "sso_salt"]
PLAN = "plan_slug" if OCEAN else "plan"
PLANS = ("basic", "premium")
LIMIT = 256 * 1024
SUSPENSIONS = {"resources.suspended": True, "resources.reactivated": False}

lock = threading.Lock()
buoys = {}  # by id; deprovisioned ones are kept
sessions = {}
used = set()


def same(one, other):
    return hmac.compare_digest(one.encode(), other.encode())


class HttpError(Exception):
    def __init__(self, status, message, **headers):
        super().__init__(message)
        self.status, self.message, self.headers = status, message, headers


class Buoy(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 30

    def log_message(self, *_):
        pass

    def handle_call(self):
        try:
            url = urllib.parse.urlsplit(self.path)
            if url.path == "/dashboard":
                return self.dashboard()
            if url.path == "/alive":
                return self.alive()
            parts = [urllib.parse.unquote(part, errors="replace") for part in url.path.split("/")]
            if parts[:2] != ["", MARKETPLACE]:
                raise HttpError(404, "Not found.")
            if parts[2:] == ["sso"] and self.command == ("POST" if OCEAN else "GET"):
                return self.sign_on(self.read().decode("utf-8", "replace") if OCEAN else url.query)
            match (self.command, *parts[2:]):
                case ("POST", "resources"):
                    self.authenticate()
                    return self.provision(self.json())
                case ("PUT", "resources", name):
                    self.authenticate()
                    return self.plan_change(name, self.json())
                case ("PATCH", "resources", name) if not OCEAN:
                    self.authenticate()
                    return self.plan_change(name, self.json())
                case ("DELETE", "resources", name):
                    self.authenticate()
                    self.read()
                    return self.deprovision(name)
                case ("POST", "notifications") if OCEAN:
                    self.authenticate()
                    return self.notify(self.json())
                case ("POST", "resources", name, "suspend" | "resume" as verb) if not OCEAN:
                    self.authenticate()
                    self.read()
                    with lock:
                        self.find(name)["suspended"] = verb == "suspend"
                    return self.answer(204)
            raise HttpError(405, "Not allowed.")
        except HttpError as error:
            # the unread rest of the body would be parsed as the next request
            self.close_connection = True
            self.answer(error.status, {"message": error.message, "error": error.message}, error.headers)
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
        unauthorized = HttpError(401, "The credentials are missing or wrong.", WWW_Authenticate='Basic realm="Buoy"')
        scheme, _, credentials = self.headers.get("Authorization", "").partition(" ")
        try:
            user, _, password = base64.b64decode(credentials, validate=True).decode().partition(":")
        except (binascii.Error, ValueError):
            raise unauthorized from None
        correct = same(user, USER) & same(password, PASSWORD)
        if scheme.lower() != "basic" or not correct:
            raise unauthorized

    def read(self):
        try:
            length = int(self.headers.get("Content-Length", 0))
        except ValueError:
            raise HttpError(400, "Content-Length is not a number.") from None
        if length > LIMIT:
            raise HttpError(413, "The body is too long.")
        return self.rfile.read(length)

    def json(self):
        try:
            body = json.loads(self.read())
        except (ValueError, RecursionError):
            raise HttpError(400, "The body is not JSON.") from None
        if not isinstance(body, dict):
            raise HttpError(400, "The body is not an object.")
        return body

    def plan(self, body):
        plan = body.get(PLAN)
        if not isinstance(plan, str) or plan not in PLANS:
            raise HttpError(422, "This plan does not exist: choose basic or premium.")
        return plan

    def provision(self, body):
        key = body.get("uuid", None if OCEAN else f"ad-{secrets.token_hex(16)}")
        if not isinstance(key, str) or not key or not (OCEAN or isinstance(body.get("app_id"), str)):
            raise HttpError(400, "A required field is missing.")
        plan = self.plan(body)
        with lock:
            new = {"plan": plan, "token": secrets.token_hex(16), "alive": True, "suspended": False}
            buoy = buoys.setdefault(key, new)
            if not buoy["alive"]:
                raise HttpError(422, "This buoy was deprovisioned.")
            buoy["plan"] = plan
        config = {"BUOY_URL": f"https://{key}:{buoy['token']}@buoy.example/"}
        self.answer(200, {"id": key, "config": config, "message": "Your buoy floats."})

    def find(self, name):
        buoy = buoys.get(name)
        if buoy is None or not buoy["alive"]:
            raise HttpError(404, "There is no such buoy.")
        return buoy

    def plan_change(self, name, body):
        with lock:
            buoy = self.find(name)
            buoy["plan"] = self.plan(body)
        self.answer(200, {"message": f"Your buoy is on {buoy['plan']} now."})

    def deprovision(self, name):
        with lock:
            self.find(name)["alive"] = False
        self.answer(204)

    def notify(self, body):
        kind, payload = body.get("type"), body.get("payload")
        if not isinstance(kind, str) or not isinstance(payload, dict):
            raise HttpError(400, "type or payload is missing.")
        if kind == "resources.updated":
            resource = payload.get("resource")
            uuids = [resource.get("uuid")] if isinstance(resource, dict) else None
        elif kind in SUSPENSIONS or kind == "resources.deprovisioning.failed":
            uuids = payload.get("resources_uuids")
        else:
            return self.answer(204)  # a type that was added later
        if not isinstance(uuids, list) or not all(isinstance(uuid, str) for uuid in uuids):
            raise HttpError(400, "The resources are missing.")
        failed = False
        with lock:
            for uuid in uuids:
                buoy = buoys.get(uuid, {"alive": False})
                failed |= not buoy["alive"]
                buoy["suspended"] = SUSPENSIONS.get(kind, buoy.get("suspended"))
        if failed:
            raise HttpError(422, "A buoy does not exist.")
        self.answer(204)

    def sign_on(self, text):
        refused = HttpError(401 if OCEAN else 403, "This link has expired or was already used. Open the add-on again.")
        form = dict(urllib.parse.parse_qsl(text, keep_blank_values=True))
        timestamp, name = form.get("timestamp", ""), form.get("resource_uuid" if OCEAN else "id", "")
        window = 121 if OCEAN else 301
        if not (timestamp.isascii() and timestamp.isdigit()) or not -60 <= time.time() - int(timestamp) < window:
            raise refused
        if OCEAN:
            expected = hmac.new(SALT.encode(), f"{timestamp}:{name}".encode(), hashlib.sha256).hexdigest()
        else:
            expected = hashlib.sha1(f"{name}:{SALT}:{timestamp}".encode()).hexdigest()
        if not same(form.get("token", "").lower(), expected):
            raise refused
        with lock:
            if expected in used:
                raise refused
            used.add(expected)
            self.find(name)
            session = secrets.token_hex(16)
            sessions[session] = name
        cookie = f"buoy={session}; Path=/; HttpOnly; SameSite=Lax"
        headers = {"Location": "/dashboard", "Set_Cookie": cookie, "Referrer_Policy": "no-referrer"}
        self.answer(302, None, headers)

    def dashboard(self):
        cookies = http.cookies.SimpleCookie(self.headers.get("Cookie", ""))
        session = cookies["buoy"].value if "buoy" in cookies else None
        with lock:
            self.find(sessions.get(session))
        self.answer(200, {"name": sessions[session]})

    def alive(self):
        with lock:
            self.answer(200, {"alive": sum(buoy["alive"] for buoy in buoys.values()), "made": len(buoys)})


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, *_):
        pass  # disconnects are expected


server = Server(("127.0.0.1", int(sys.argv[1])), Buoy)
print(f"http://127.0.0.1:{server.server_address[1]}", flush=True)
server.serve_forever()
