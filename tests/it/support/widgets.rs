//! Default behavior of the test vendor.

use std::sync::{Mutex, MutexGuard, PoisonError};

use maitre::{
    Deprovision, Deprovisioned, Failure, PlanChange, PlanChanged, Provision, Provisioned, ResourceId, Result, SignOn,
    SignedOn,
};

/// Widgets with provider ids that differ from the marketplace's ids; found by either id.
#[derive(Default)]
pub(super) struct Widgets(Mutex<Vec<Widget>>);

struct Widget {
    key: ResourceId,
    id: String,
    plan: String,
    removed: bool,
}

impl Widgets {
    fn widgets(&self) -> MutexGuard<'_, Vec<Widget>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn provision(&self, request: &Provision) -> Result<Provisioned> {
        check_plan(&request.plan)?;
        let mut widgets = self.widgets();
        let index = widgets.iter().position(|widget| widget.key == request.resource).unwrap_or_else(|| {
            let id = format!("widget-{}", widgets.len() + 1);
            widgets.push(Widget { key: request.resource.clone(), id, plan: request.plan.clone(), removed: false });
            widgets.len() - 1
        });
        let Widget { id, plan, removed, .. } = &widgets[index];
        if *removed {
            return Err(Failure::gone());
        }
        Ok(Provisioned::new(id.as_str())
            .with_config("LANTERN_URL", format!("https://u:pw@eu1.lantern.example/{id}"))
            .with_message(format!("Lantern {plan} is ready.")))
    }

    pub(super) fn plan_change(&self, request: &PlanChange) -> Result<PlanChanged> {
        check_plan(&request.plan)?;
        let mut widgets = self.widgets();
        let widget = find(&mut widgets, &request.resource)?;
        request.plan.clone_into(&mut widget.plan);
        Ok(PlanChanged::new().with_message(format!("Now on {}.", widget.plan)))
    }

    pub(super) fn deprovision(&self, request: &Deprovision) -> Result<Deprovisioned> {
        find(&mut self.widgets(), &request.resource)?.removed = true;
        Ok(Deprovisioned::new())
    }

    pub(super) fn single_sign_on(&self, request: &SignOn) -> Result<SignedOn> {
        let mut widgets = self.widgets();
        let widget = find(&mut widgets, &request.resource)?;
        Ok(SignedOn::redirect("/dashboard").with_session("widget", widget.id.as_str()))
    }
}

fn check_plan(plan: &str) -> Result<()> {
    match plan {
        "basic" | "premium" => Ok(()),
        other => Err(Failure::refused(format!("The plan {other} does not exist: choose basic or premium."))),
    }
}

fn find<'w>(widgets: &'w mut [Widget], name: &ResourceId) -> Result<&'w mut Widget> {
    let widget = widgets.iter_mut().find(|widget| widget.key == *name || widget.id == name.as_str());
    let widget = widget.ok_or_else(Failure::unknown)?;
    if widget.removed { Err(Failure::gone()) } else { Ok(widget) }
}
