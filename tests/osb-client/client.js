// IBM Cloud's client (`OpenServiceBrokerV1`) goes through the life of an instance. See `run`.
const fs = require('fs');
const path = require('path');
const { randomUUID } = require('crypto');

const Ajv = require('ajv');
const OpenServiceBrokerV1 = require('@ibm-cloud/platform-services/open-service-broker/v1');
const { BasicAuthenticator } = require('@ibm-cloud/platform-services/auth');

const { OSB_URL: serviceUrl, OSB_MODE: mode, OSB_USERNAME: username, OSB_PASSWORD: password } = process.env;

// the version that IBM Cloud sends
const VERSION = { 'X-Broker-API-Version': '2.12' };
const REQUEST_IDENTITY = 'x-broker-api-request-identity';

const POLL_INTERVAL = 100;
const MAX_POLLS = 600;

const ajv = new Ajv({ allErrors: true, strict: false });
const schemas = {};
for (const file of fs.readdirSync(path.join(__dirname, 'schema'))) {
    const schema = JSON.parse(fs.readFileSync(path.join(__dirname, 'schema', file), 'utf8'));
    schemas[path.basename(file, '.json')] = ajv.compile(schema);
}

let passed = 0;
let failed = 0;

function check(name, holds, details) {
    if (holds) {
        passed += 1;
        console.log(`ok      ${name}`);
    } else {
        failed += 1;
        console.log(`FAILED  ${name}`);
        console.log(`        | ${JSON.stringify(details)}`);
    }
}

function client(user, secret, headers) {
    const authenticator = new BasicAuthenticator({ username: user, password: secret });
    return new OpenServiceBrokerV1({ authenticator, serviceUrl, headers });
}

const broker = client(username, password, VERSION);

// Sends a request; a client error is a reply, too.
async function send(name, statuses, schemaOf, request) {
    const identity = randomUUID();
    let reply;
    try {
        reply = await request({ [REQUEST_IDENTITY]: identity });
    } catch (error) {
        if (!error.status) {
            throw error;
        }
        const body = typeof error.body === 'string' ? error.body : JSON.stringify(error.result);
        reply = { status: error.status, headers: error.headers, result: JSON.parse(body || 'null') };
    }
    check(`${name}: ${reply.status}`, statuses.includes(reply.status), { expected: statuses, reply: reply.result });
    const schema = typeof schemaOf === 'string' ? schemaOf : schemaOf(reply.status);
    const isValid = schemas[schema](reply.result);
    check(`${name}: the body is valid by ${schema}.json`, isValid, { body: reply.result, errors: schemas[schema].errors });
    const headers = reply.headers instanceof Map ? Object.fromEntries(reply.headers) : reply.headers;
    check(`${name}: the request identity is repeated`, headers[REQUEST_IDENTITY] === identity, headers);
    return reply;
}

const sleep = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

// Polls an accepted operation until it ends; returns its last reply.
async function poll(name, ids, operation, ends) {
    for (let count = 0; count < MAX_POLLS; count += 1) {
        let reply;
        try {
            reply = await broker.getLastOperation({ ...ids, operation });
        } catch (error) {
            reply = { status: error.status, result: JSON.parse(error.body || 'null') };
        }
        const schema = reply.status === 200 ? 'last-operation' : 'deleted';
        if (!schemas[schema](reply.result)) {
            check(`${name}: a poll is valid by ${schema}.json`, false, { reply: reply.result, errors: schemas[schema].errors });
        }
        if (reply.status !== 200 || reply.result.state !== 'in progress') {
            const end = reply.status === 200 ? reply.result.state : reply.status;
            check(`${name}: polls end with ${end}`, ends.includes(end), reply.result);
            return reply;
        }
        await sleep(POLL_INTERVAL);
    }
    check(`${name}: polls end`, false, null);
    return null;
}

async function main() {
    const catalog = await send('catalog', [200], 'catalog', (headers) => broker.listCatalog({ headers }));
    const service = catalog.result.services.find((it) => it.bindable && it.plan_updateable) || catalog.result.services[0];
    const [basic, premium] = ['basic', 'premium'].map((name) => service.plans.find((plan) => plan.name === name));
    check('catalog: the plans basic and premium', basic && premium, service.plans.map((plan) => plan.name));

    const instanceId = randomUUID();
    const ids = { instanceId, serviceId: service.id, planId: basic.id };
    const place = { organizationGuid: randomUUID(), spaceGuid: randomUUID() };
    const context = { platform: 'ibmcloud', account_id: '6a9', crn: 'crn:v1:bluemix:public:tally:us-south:a/6a9::', resource_group_crn: 'crn:v1' };
    const order = { ...ids, ...place, context, acceptsIncomplete: true };
    const provisionSchema = (status) => ({ 200: 'provisioned', 201: 'provisioned', 202: 'accepted' }[status] || 'error');
    const put = (fields) => (headers) => broker.replaceServiceInstance({ ...order, ...fields, headers });

    if (mode === 'asynchronous') {
        const refused = await send('a provision that must be synchronous', [422], 'error', put({ instanceId: randomUUID(), acceptsIncomplete: undefined }));
        check('the error is AsyncRequired', refused.result.error === 'AsyncRequired', refused.result);
    }
    const expected = { synchronous: [201], asynchronous: [202] }[mode] || [201, 202];
    const provisioned = await send('provision', expected, provisionSchema, put({}));
    if (provisioned.status === 202) {
        const again = await send('provision, repeated while it runs', [202], provisionSchema, put({}));
        check('the operation is the same', again.result.operation === provisioned.result.operation, again.result);
        await send('provision of another plan while it runs', [409], 'error', put({ planId: premium.id }));
        await poll('provision', ids, provisioned.result.operation, ['succeeded']);
    }
    await send('provision, repeated', [200], provisionSchema, put({}));
    await send('provision of another plan', [409], 'error', put({ planId: premium.id }));
    await send('provision without a plan', [400], 'error', put({ instanceId: randomUUID(), planId: undefined }));

    const bindingId = randomUUID();
    const bind = (fields) => (headers) => broker.replaceServiceBinding({ ...ids, bindingId, bindResource: { app_guid: 'app-1' }, ...fields, headers });
    const bound = await send('bind', [201], 'bound', bind({}));
    const again = await send('bind, repeated', [200], 'bound', bind({}));
    check('the credentials are the same', JSON.stringify(again.result) === JSON.stringify(bound.result), null);
    await send('bind to another app', [409], 'error', bind({ bindResource: { app_guid: 'app-2' } }));

    await send('state', [200], 'state', (headers) => broker.getServiceInstanceState({ instanceId, headers }));
    const change = (enabled, reasonCode) => (headers) =>
        broker.replaceServiceInstanceState({ instanceId, enabled, initiatorId: 'IBMid-1', reasonCode, headers });
    const read = async () => (await broker.getServiceInstanceState({ instanceId })).result;
    await send('suspend', [200], 'state', change(false, 'IBMCLOUD_ACCT_SUSPEND'));
    check('the instance is disabled', (await read()).enabled === false, await read());
    await send('reinstate', [200], 'state', change(true, 'IBMCLOUD_ACCT_ACTIVATE'));
    check('the instance is enabled', (await read()).enabled === true, await read());

    const unbind = (headers) => broker.deleteServiceBinding({ ...ids, bindingId, headers });
    await send('unbind', [200], 'deleted', unbind);
    await send('unbind, repeated', [410], 'deleted', unbind);

    const updateSchema = (status) => ({ 200: 'updated', 202: 'accepted' }[status] || 'error');
    const update = (planId) => (headers) =>
        broker.updateServiceInstance({
            instanceId,
            serviceId: service.id,
            planId,
            acceptsIncomplete: true,
            context,
            previousValues: { plan_id: basic.id },
            headers,
        });
    const updated = await send('update', [200, 202], updateSchema, update(premium.id));
    if (updated.status === 202) {
        await poll('update', ids, updated.result.operation, ['succeeded']);
    }
    await send('update to an unknown plan', [400], 'error', update('no-such-plan'));

    const current = { ...ids, planId: premium.id };
    const remove = (fields) => (headers) => broker.deleteServiceInstance({ ...current, acceptsIncomplete: true, ...fields, headers });
    const deleteSchema = (status) => ({ 200: 'deleted', 202: 'accepted', 410: 'deleted' }[status] || 'error');
    const deleted = await send('delete', [200, 202], deleteSchema, remove({}));
    if (deleted.status === 202) {
        await poll('delete', current, deleted.result.operation, [410, 'succeeded']);
    }
    await send('delete, repeated', [410], deleteSchema, remove({}));
    await send('delete of an unknown instance', [410], deleteSchema, remove({ instanceId: randomUUID() }));

    const wrong = client(username, 'a-wrong-password', VERSION);
    await send('a wrong password', [401], 'error', (headers) => wrong.listCatalog({ headers }));
    const old = client(username, password, { 'X-Broker-API-Version': '1.0' });
    await send('another version', [412], 'error', (headers) => old.listCatalog({ headers }));
}

main()
    .catch((error) => {
        failed += 1;
        console.log(`FAILED  ${error.stack}`);
    })
    .finally(() => {
        console.log(`\nosb client (${mode}): ${passed} passed, ${failed} failed`);
        process.exit(failed === 0 ? 0 : 1);
    });
