use maitre::{
    Deprovision, Deprovisioned, Listener, PlanChange, PlanChanged, Provision, Provisioned, Result, SignOn, SignedOn,
};

struct Lanterns;

impl Listener for Lanterns {
    async fn provision(&self, request: Provision) -> Result<Provisioned> {
        Ok(Provisioned::new(request.resource))
    }
    async fn plan_change(&self, _: PlanChange) -> Result<PlanChanged> {
        Ok(PlanChanged::new())
    }
    async fn deprovision(&self, _: Deprovision) -> Result<Deprovisioned> {
        Ok(Deprovisioned::new())
    }
    async fn single_sign_on(&self, _: SignOn) -> Result<SignedOn> {
        Ok(SignedOn::redirect("/"))
    }
}

fn main() {
    let _: axum::Router = axum::Router::new().nest("/heroku", maitre::heroku(Lanterns));
}
