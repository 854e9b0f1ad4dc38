fn app(addon: maitre::Addon<maitre::CloudControl>) -> axum::Router {
    axum::Router::new().nest("/heroku", maitre::heroku(addon))
}

fn main() {
    let _ = app;
}
