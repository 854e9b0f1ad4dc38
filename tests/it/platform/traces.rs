//! One trace: the request of Heroku, the operation's log lines, and the calls that report its result.

use maitre_testkit::platform::State;

use super::Fixture;
use super::setup::wait_for_state;
use crate::ledger::support::{Act, Database, Gate};

const TRACE: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

on_both_databases! {
    async fn the_calls_that_report_a_provision_have_the_trace_of_its_request(database: Database) {
        let fixture = Fixture::new(database).await;
        let app = fixture.start_app().await;
        let install = fixture.heroku.install("basic");
        let gate = Gate::new();
        fixture.vendor.script(install.uuid(), [Act::Wait(gate.clone())]);
        let request = app.accepting.provision("basic").install(&install).header("traceparent", TRACE);
        install.record_provision(request.send().await.expect(202));
        gate.open();
        wait_for_state(&install, State::Provisioned).await;
        app.wait_until_idle().await;

        let traces = |path: &str| {
            let exchanges = fixture.heroku.exchanges();
            let calls = exchanges.iter().filter(|exchange| exchange.path().ends_with(path));
            calls.map(|exchange| exchange.request().header("traceparent").map(str::to_owned)).collect::<Vec<_>>()
        };
        for path in ["/actions/provision", "/config"] {
            let traces = traces(path);
            assert!(!traces.is_empty() && traces.iter().all(|trace| trace.as_deref() == Some(TRACE)), "{path}: {traces:?}");
        }
        fixture.assert_no_violations();
    }
}
