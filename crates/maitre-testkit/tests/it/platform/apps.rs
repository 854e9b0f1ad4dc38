use serde_json::json;

use super::vendor::vendor;

#[tokio::test]
async fn a_vendor_reads_the_users_of_its_add_on() {
    let vendor = vendor().await;
    let install = vendor.platform.install_builder("basic").app("shop").create();
    let app = vendor.platform.app("shop");
    app.collaborator("ada@example.org", "member").domain("www.shop.example");
    app.team("makers").member("grace@example.org", "admin");
    let token = vendor.token(&install).await;

    let shop = vendor.ask("GET", "/apps/shop", &token).await.expect(200);
    assert_eq!((&shop["id"], &shop["team"]["name"]), (&json!(app.id()), &json!("makers")));
    assert_eq!((&shop["generation"]["name"], &shop["space"]), (&json!("cedar"), &json!(null)));
    let people = vendor.ask("GET", &format!("/apps/{}/collaborators", app.id()), &token).await.expect(200);
    let mut roles: Vec<_> =
        people.as_array().expect("a list").iter().map(|one| (&one["user"]["email"], &one["role"])).collect();
    roles.sort_by_key(|(email, _)| email.to_string());
    assert_eq!(
        roles,
        [(&json!("ada@example.org"), &json!("member")), (&json!("owner@shop.example.org"), &json!("owner"))]
    );
    let members = vendor.ask("GET", "/teams/makers/members", &token).await.expect(200);
    assert_eq!((&members[0]["email"], &members[0]["role"]), (&json!("grace@example.org"), &json!("admin")));
    let domains = vendor.ask("GET", "/apps/shop/domains", &token).await.expect(200);
    assert_eq!(domains[0]["hostname"], "www.shop.example");

    app.remove_collaborator("ada@example.org");
    let people = vendor.ask("GET", "/apps/shop/collaborators", &token).await.expect(200);
    assert_eq!(people.as_array().map(Vec::len), Some(1));
    vendor.ask("GET", "/teams/others/members", &token).await.refused(404, "not_found");
}

#[tokio::test]
async fn an_attached_app_is_as_accessible_as_the_owner() {
    let vendor = vendor().await;
    let install = vendor.platform.install_builder("basic").app("shop").create();
    let other = install.attach("blog", "BLOG_TALLY");
    vendor.platform.app("bank");
    let token = vendor.token(&install).await;

    let apps = vendor.ask("GET", "/apps", &token).await.expect(200);
    assert_eq!(apps.as_array().map(Vec::len), Some(2));
    let wanted = json!({ "in": { "id": [other.id(), vendor.platform.app("bank").id()] } });
    let filtered = vendor.tell("POST", "/filters/apps", &token, wanted).await.expect(200);
    assert_eq!((filtered.as_array().map(Vec::len), &filtered[0]["name"]), (Some(1), &json!("blog")));
    let attachments = vendor.ask("GET", "/apps/blog/addon-attachments", &token).await.expect(200);
    assert_eq!(
        (&attachments[0]["name"], &attachments[0]["addon"]["app"]["name"]),
        (&json!("BLOG_TALLY"), &json!("shop"))
    );
    let here = vendor.ask("GET", "/apps/shop/addons", &token).await.expect(200);
    assert_eq!(here[0]["id"], install.uuid());
    assert_eq!(vendor.ask("GET", "/apps/blog/addons", &token).await.expect(200), json!([]));

    install.detach("BLOG_TALLY");
    vendor.ask("GET", "/apps/blog", &token).await.refused(403, "forbidden");
}

#[tokio::test]
async fn log_drains_are_added_changed_and_removed() {
    let vendor = vendor().await;
    let install = vendor.platform.install_builder("basic").app("shop").create();
    let token = vendor.token(&install).await;
    let drain = json!({ "url": "https://logs.example/1" });
    let made = vendor.tell("POST", "/apps/shop/log-drains", &token, drain.clone()).await.expect(201);
    assert_eq!((&made["url"], &made["addon"]), (&json!("https://logs.example/1"), &json!(null)));

    // the app's own drain does not belong to the add-on
    let listed = vendor.ask("GET", &format!("/addons/{}/log-drains", install.uuid()), &token).await.expect(200);
    assert_eq!(listed, json!([]));
    let path = format!("/addons/{}/log-drains/{}", install.uuid(), made["id"].as_str().expect("an id"));
    vendor.tell("PUT", &path, &token, drain).await.refused(404, "not_found");

    let path = format!("/apps/shop/log-drains/{}", made["token"].as_str().expect("a token"));
    assert_eq!(vendor.ask("DELETE", &path, &token).await.expect(200), made);
    vendor.ask("DELETE", &path, &token).await.refused(404, "not_found");
}

#[tokio::test]
async fn the_add_on_s_own_drain_is_changed_by_id_url_or_token() {
    let vendor = vendor().await;
    vendor.platform.update_settings(|settings| settings.syslog_drain = true);
    let install = vendor.platform.install("basic");
    let body = r#"{"id":"1","log_drain_url":"https://logs.example/a?b"}"#;
    let answer = format!("HTTP/1.1 200 OK\nconnection: close\ncontent-length: {}\n\n{body}", body.len());
    let (root, _arrivals) = crate::server::answering(&[&answer]);
    let heroku = maitre_testkit::Heroku::new(&root, "tally", "password", "salt");
    install.record_provision(&heroku.provision("basic").install(&install).await);

    let token = vendor.token(&install).await;
    let path = format!("/addons/{}/log-drains", install.uuid());
    let id = vendor.ask("GET", &path, &token).await.expect(200)[0]["id"].as_str().expect("an id").to_owned();
    for (named, url) in
        [(id.as_str(), "https://logs.example/2"), ("https%3A%2F%2Flogs.example%2F2", "https://logs.example/3")]
    {
        let moved = vendor.tell("PUT", &format!("{path}/{named}"), &token, json!({ "url": url })).await.expect(200);
        assert_eq!((&moved["id"], &moved["url"]), (&json!(id), &json!(url)));
    }
    vendor.tell("PUT", &format!("{path}/{id}"), &token, json!({})).await.refused(422, "invalid_params");
}
