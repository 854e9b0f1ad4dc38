use maitre_testkit::platform::Rule;

use super::vendor::{read, vendor};

#[tokio::test]
async fn the_inventory_lists_live_installs_in_linked_pages() {
    let vendor = vendor().await;
    vendor.platform.update_settings(|settings| settings.inventory_page_size = 2);
    let installs = [0; 4].map(|_| vendor.platform.install("basic"));
    installs[1].remove_silently();

    let ask = |url: String| {
        let request = reqwest::Client::new().get(url).basic_auth("tally", Some("password"));
        async move { read(request.header("user-agent", "tally/1.0").send().await.expect("an answer")).await }
    };
    let first = ask(vendor.url("/api/v3/apps")).await;
    let next = first.header("link").expect("a link").strip_prefix('<').expect("a link");
    let (next, rel) = next.split_once('>').expect("a link");
    assert_eq!(rel, "; rel=\"next\"");
    let second = ask(next.to_owned()).await;
    assert!(!second.header("link").expect("a link").contains("next"));

    let mut uuids: Vec<_> = [first.expect(200), second.expect(200)]
        .iter()
        .flat_map(|page| page.as_array().expect("a list").clone())
        .map(|install| install["resource"]["uuid"].as_str().expect("a uuid").to_owned())
        .collect();
    uuids.sort();
    let mut expected: Vec<_> = [0, 2, 3].map(|place| installs[place].uuid().to_owned()).into();
    expected.sort();
    assert_eq!(uuids, expected);
}

#[tokio::test]
async fn the_inventory_requires_the_add_on_s_password() {
    let vendor = vendor().await;
    let wrong = vendor.request("GET", "/api/v3/apps").basic_auth("tally", Some("guessed"));
    read(wrong.send().await.expect("an answer")).await.refused(401, "unauthorized");
    let none = vendor.request("GET", "/api/v3/apps");
    read(none.send().await.expect("an answer")).await.refused(401, "unauthorized");
    assert_eq!(vendor.rules_broken(), [] as [Rule; 0]);
}
