//! Headless Chromium and the actions of a user.

use std::env;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::{Value, json};
use thirtyfour::error::WebDriverResult;
use thirtyfour::{
    By, ChromiumLikeCapabilities as _, DesiredCapabilities, Key, LoggingPrefsLogLevel, WebDriver, WebElement,
};
use tokio::time::{Instant, sleep};

/// Timeout; nothing on the page takes this long, even on a busy machine.
const TIMEOUT: Duration = Duration::from_secs(30);

/// Browser with its own driver. Dropping it ends both.
pub(super) struct Browser {
    driver: WebDriver,
    // dropped after the driver's session, which closes Chromium
    _process: Process,
}

struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn program(names: &[&str]) -> PathBuf {
    let folders: Vec<_> = env::split_paths(&env::var_os("PATH").unwrap_or_default()).collect();
    let candidates = names.iter().flat_map(|name| folders.iter().map(move |folder| folder.join(name)));
    candidates.into_iter().find(|file| file.is_file()).unwrap_or_else(|| {
        panic!("NO {}: the tests of the feature `browser` need a Chromium and its driver. On Debian: apt-get install chromium chromium-driver", names[0])
    })
}

/// Starts the driver on a free port and returns its URL.
fn driver() -> (Process, String) {
    let mut driver = Command::new(program(&["chromedriver"]));
    let driver = driver.arg("--port=0").stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut process = Process(driver.spawn().expect("chromedriver starts"));
    let lines = BufReader::new(process.0.stdout.take().expect("its output")).lines();
    let line = lines.map_while(Result::ok).find(|line| line.contains("started successfully on port"));
    let line = line.expect("chromedriver prints its port");
    let port = line.trim_end_matches('.').rsplit(' ').next().expect("a port").to_owned();
    (process, format!("http://127.0.0.1:{port}"))
}

impl Browser {
    pub(super) async fn start() -> Self {
        let (process, url) = tokio::task::spawn_blocking(driver).await.expect("a driver");
        let mut chromium = DesiredCapabilities::chrome();
        chromium.set_binary(&program(&["chromium", "chromium-browser", "google-chrome"]).to_string_lossy()).unwrap();
        for argument in ["--headless=new", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars", "--lang=en"]
        {
            chromium.add_arg(argument).unwrap();
        }
        if maitre_bench_support::is_root() {
            chromium.add_arg("--no-sandbox").unwrap();
        }
        chromium.set_browser_log_level(LoggingPrefsLogLevel::All).unwrap();
        let driver =
            WebDriver::builder(url, chromium).request_timeout(TIMEOUT).connect().await.expect("Chromium starts");
        let browser = Self { driver, _process: process };
        browser.set_viewport(1280, 900, "light").await;
        browser
    }

    /// Sets the viewport size, in CSS pixels, and the color scheme.
    pub(super) async fn set_viewport(&self, width: u32, height: u32, scheme: &str) {
        let is_phone = width < 600;
        let metrics = json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": is_phone });
        self.cdp("Emulation.setDeviceMetricsOverride", metrics).await;
        let features = json!({ "features": [{ "name": "prefers-color-scheme", "value": scheme }] });
        self.cdp("Emulation.setEmulatedMedia", features).await;
    }

    /// Sends a command of the Chrome `DevTools` Protocol.
    pub(super) async fn cdp(&self, method: &str, what: Value) -> Value {
        self.driver.cdp().send_raw(method, what).await.unwrap_or_else(|error| panic!("{method}: {error}"))
    }

    pub(super) async fn open(&self, url: &str) {
        self.driver.goto(url).await.unwrap_or_else(|error| panic!("{url}: {error}"));
    }

    pub(super) async fn reload(&self) {
        self.driver.refresh().await.expect("the page reloads");
    }

    pub(super) async fn address(&self) -> String {
        self.driver.current_url().await.expect("an address").to_string()
    }

    /// Returns the source of the page.
    pub(super) async fn source(&self) -> String {
        self.driver.source().await.expect("a page")
    }

    /// Runs a script and returns its result.
    pub(super) async fn run(&self, script: &str) -> Value {
        self.driver.execute(script, Vec::new()).await.unwrap_or_else(|error| panic!("{script}: {error}")).json().clone()
    }

    /// Retries until `act` succeeds, as the page may change meanwhile.
    async fn retry<T>(&self, what: &str, act: impl AsyncFn() -> WebDriverResult<Option<T>>) -> T {
        let end = Instant::now() + TIMEOUT;
        loop {
            let why = match act().await {
                Ok(Some(done)) => return done,
                Ok(None) => "the condition is false".to_owned(),
                Err(error) => error.to_string(),
            };
            if Instant::now() > end {
                let text = self.run("return document.body.innerText").await;
                panic!("{what}: {why}\n--- the page ---\n{}", text.as_str().unwrap_or_default());
            }
            sleep(Duration::from_millis(30)).await;
        }
    }

    async fn find(&self, css: &str) -> WebDriverResult<WebElement> {
        self.driver.find(By::Css(css)).await
    }

    pub(super) async fn click(&self, css: &str) {
        let click = async || {
            let it = self.find(css).await?;
            it.scroll_into_view().await?; // the sticky header may cover the element
            it.click().await.map(Some)
        };
        self.retry(&format!("click {css}"), click).await;
    }

    /// Replaces the text of a field.
    pub(super) async fn write(&self, css: &str, text: &str) {
        let write = async || {
            let field = self.find(css).await?;
            field.clear().await?;
            field.send_keys(text).await.map(Some)
        };
        self.retry(&format!("write into {css}"), write).await;
    }

    /// Selects an option of a list.
    pub(super) async fn choose(&self, css: &str, value: &str) {
        self.click(&format!("{css} option[value='{value}']")).await;
    }

    /// Waits until the first matching element contains this text.
    pub(super) async fn sees(&self, css: &str, text: &str) {
        let look = async || Ok(self.find(css).await?.text().await?.contains(text).then_some(()));
        self.retry(&format!("{text:?} in {css}"), look).await;
    }

    /// Waits until there are this many matching elements.
    pub(super) async fn counts(&self, css: &str, number: usize) {
        let count = async || Ok((self.driver.find_all(By::Css(css)).await?.len() == number).then_some(()));
        self.retry(&format!("{number} of {css}"), count).await;
    }

    /// Waits until a script returns true.
    pub(super) async fn until(&self, what: &str, script: &str) {
        let check = async || Ok((*self.driver.execute(script, Vec::new()).await?.json() == true).then_some(()));
        self.retry(what, check).await;
    }

    pub(super) async fn texts(&self, css: &str) -> Vec<String> {
        let all = self.run(&format!("return [...document.querySelectorAll({css:?})].map((it) => it.innerText)")).await;
        serde_json::from_value(all).expect("texts")
    }

    pub(super) async fn press(&self, key: Key) {
        self.driver.action_chain().send_keys(key).perform().await.expect("a key");
    }

    /// Switches to the newest tab once it exists.
    pub(super) async fn switch_to_tab(&self, tabs: usize) {
        let newest = async || {
            let windows = self.driver.windows().await?;
            Ok(windows.get(tabs - 1).cloned())
        };
        let window = self.retry(&format!("tab {tabs}"), newest).await;
        self.driver.switch_to_window(window).await.expect("the tab");
    }

    /// Closes the tab and switches to the first one.
    pub(super) async fn close_tab(&self) {
        self.driver.close_window().await.expect("the tab closes");
        let windows = self.driver.windows().await.expect("tabs");
        self.driver.switch_to_window(windows[0].clone()).await.expect("the tab");
    }

    /// Returns the warnings and errors in the console since the last call.
    pub(super) async fn console_errors(&self) -> Vec<String> {
        let entries = self.driver.browser_log().await.expect("a console");
        let grave = entries.into_iter().filter(|entry| matches!(entry.level.as_str(), "SEVERE" | "WARNING"));
        grave.map(|entry| entry.message).collect()
    }

    /// Asserts that the console has no warnings or errors.
    pub(super) async fn assert_no_errors(&self) {
        let console_errors = self.console_errors().await;
        assert!(console_errors.is_empty(), "{console_errors:#?}");
    }

    /// Writes a screenshot of the window as PNG.
    pub(super) async fn screenshot(&self, file: &Path) {
        let picture = self.driver.screenshot_as_png().await.expect("a picture");
        std::fs::write(file, picture).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    }
}
