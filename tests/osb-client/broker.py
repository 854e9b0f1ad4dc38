"""A service broker on the library `openbrokerapi`, in memory: a good broker that shares no code with maitre.

    broker.py PORT          (0 for any port; prints the URL)
"""

import logging
import sys
import threading

from flask import Flask
from openbrokerapi import api, errors
from openbrokerapi.catalog import ServicePlan
from openbrokerapi.service_broker import (
    Binding,
    BindState,
    DeprovisionServiceSpec,
    GetBindingSpec,
    GetInstanceDetailsSpec,
    LastOperation,
    OperationState,
    ProvisionedServiceSpec,
    ProvisionState,
    Service,
    ServiceBroker,
    UnbindSpec,
    UpdateServiceSpec,
)
from werkzeug.serving import make_server

SERVICE = "1f2d6c1c-9d1e-4d4b-8f6f-51a5a1f5d101"
BASIC = "2a7b8c9d-0e1f-4a2b-9c3d-4e5f6a7b8c02"
PREMIUM = "3b8c9d0e-1f2a-4b3c-8d4e-5f6a7b8c9d03"


def valid(parameters):
    if parameters is not None and not isinstance(parameters, dict):
        raise errors.ErrBadRequest("parameters is not an object.")
    return parameters or {}


class Lanterns(ServiceBroker):
    def __init__(self):
        self.lock = threading.Lock()
        self.instances = {}
        self.bindings = {}
        self.made = 0

    def catalog(self):
        plans = [ServicePlan(BASIC, "basic", "Three lanterns."), ServicePlan(PREMIUM, "premium", "All lanterns.")]
        return Service(
            id=SERVICE,
            name="lantern",
            description="Lanterns.",
            bindable=True,
            plans=plans,
            plan_updateable=True,
            instances_retrievable=True,
            bindings_retrievable=True,
        )

    def provision(self, instance_id, details, async_allowed, **kwargs):
        if details.service_id != SERVICE:
            raise errors.ErrBadRequest("service_id is not in the catalog.")
        parameters = valid(details.parameters)
        attributes = (details.plan_id, details.organization_guid, details.space_guid, parameters)
        with self.lock:
            known = self.instances.get(instance_id)
            if known is None:
                self.made += 1
                self.instances[instance_id] = {"attributes": attributes, "plan": details.plan_id}
                return ProvisionedServiceSpec()
            if known["attributes"] != attributes:
                raise errors.ErrInstanceAlreadyExists()
            return ProvisionedServiceSpec(ProvisionState.IDENTICAL_ALREADY_EXISTS)

    def update(self, instance_id, details, async_allowed, **kwargs):
        if details.service_id != SERVICE:
            raise errors.ErrBadRequest("service_id is not in the catalog.")
        with self.lock:
            instance = self.instances.get(instance_id)
            if instance is None:
                raise errors.ErrBadRequest("The instance does not exist.")
            instance["plan"] = details.plan_id or instance["plan"]
        return UpdateServiceSpec(is_async=False)

    def deprovision(self, instance_id, details, async_allowed, **kwargs):
        with self.lock:
            if self.instances.pop(instance_id, None) is None:
                raise errors.ErrInstanceDoesNotExist()
            for key in [key for key in self.bindings if key[0] == instance_id]:
                del self.bindings[key]
        return DeprovisionServiceSpec(is_async=False)

    def bind(self, instance_id, binding_id, details, async_allowed, **kwargs):
        if details.service_id != SERVICE:
            raise errors.ErrBadRequest("service_id is not in the catalog.")
        app = details.app_guid or (details.bind_resource and details.bind_resource.app_guid)
        attributes = (app, valid(details.parameters))
        with self.lock:
            if instance_id not in self.instances:
                raise errors.ErrBadRequest("The instance does not exist.")
            known = self.bindings.get((instance_id, binding_id))
            if known is None:
                credentials = {"uri": f"https://u:{binding_id}@lantern.example"}
                self.bindings[instance_id, binding_id] = (attributes, credentials)
                return Binding(credentials=credentials)
            if known[0] != attributes:
                raise errors.ErrBindingAlreadyExists()
            return Binding(BindState.IDENTICAL_ALREADY_EXISTS, credentials=known[1])

    def unbind(self, instance_id, binding_id, details, async_allowed, **kwargs):
        with self.lock:
            if self.bindings.pop((instance_id, binding_id), None) is None:
                raise errors.ErrBindingDoesNotExist()
        return UnbindSpec(is_async=False)

    def get_instance(self, instance_id, **kwargs):
        instance = self.instances.get(instance_id)
        if instance is None:
            raise errors.ErrInstanceDoesNotExist()
        return GetInstanceDetailsSpec(SERVICE, instance["plan"])

    def get_binding(self, instance_id, binding_id, **kwargs):
        binding = self.bindings.get((instance_id, binding_id))
        if binding is None:
            raise errors.ErrBindingDoesNotExist()
        return GetBindingSpec(credentials=binding[1])

    def last_operation(self, instance_id, operation_data, **kwargs):
        if instance_id not in self.instances:
            raise errors.ErrInstanceDoesNotExist()
        return LastOperation(OperationState.SUCCEEDED)


def main():
    logging.disable(logging.CRITICAL)
    lanterns = Lanterns()
    app = Flask(__name__)
    credentials = api.BrokerCredentials("lantern", "a-password-of-enough-length")
    app.register_blueprint(api.get_blueprint(lanterns, credentials, logging.getLogger(__name__)))

    @app.get("/alive")
    def alive():
        return {"alive": len(lanterns.instances) + len(lanterns.bindings), "made": lanterns.made}

    server = make_server("127.0.0.1", int(sys.argv[1]), app, threaded=True)
    print(f"http://127.0.0.1:{server.server_port}", flush=True)
    server.serve_forever()


main()
