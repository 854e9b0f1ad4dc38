use crate::run::Folder;

#[test]
fn completion_scripts_are_generated_for_every_shell() {
    let folder = Folder::new();
    for (shell, mark) in [("bash", "_maitre()"), ("zsh", "#compdef maitre"), ("fish", "complete -c maitre")] {
        let (code, script, _) = folder.run(&["completions", shell]);
        assert_eq!(code, 0);
        assert!(script.contains(mark) && script.contains("deprovision"), "{shell}");
        // values of --only and --marketplace
        for value in ["heroku.sso-window.one-use", "heroku.idempotency", "cloudcontrol"] {
            assert!(script.contains(value), "{shell}: no {value}");
        }
    }
}

#[test]
fn every_command_has_a_man_page() {
    let folder = Folder::new();
    let (code, page, _) = folder.run(&["man"]);
    assert_eq!(code, 0);
    assert!(page.contains(".TH maitre 1"), "{page}");
    assert_eq!(folder.run(&["man", "--output", "."]).0, 0);
    let mut pages: Vec<_> =
        std::fs::read_dir(&folder.0).unwrap().map(|it| it.unwrap().file_name().into_string().unwrap()).collect();
    pages.sort();
    for page in ["maitre.1", "maitre-check.1", "maitre-manifest-new.1", "maitre-send-provision.1", "maitre-sign-sso.1"]
    {
        assert!(pages.iter().any(|known| known == page), "no {page} in {pages:?}");
    }
}

/// Every line fits, and a line is only short if the next word does not fit.
#[test]
fn help_is_wrapped_at_the_width_of_the_terminal() {
    let folder = Folder::new();
    for width in ["80", "100"] {
        for command in [&["check"][..], &["run"], &["sandbox"], &["send", "provision"], &["manifest", "lint"]] {
            let arguments = [command, &["--help"]].concat();
            let (code, help, _) = folder.run_with(&arguments, &[("COLUMNS", width)], "");
            assert_eq!(code, 0);
            let columns: usize = width.parse().unwrap();
            let long = help.lines().find(|line| line.chars().count() > columns);
            assert_eq!(long, None, "{command:?} at {width}");
            let prose: Vec<_> = help.lines().skip_while(|line| !line.starts_with("Exit status")).collect();
            for pair in prose.windows(2) {
                let next = pair[1].split(' ').next().unwrap_or_default().chars().count();
                assert!(pair[0].chars().count() + 1 + next > columns, "{command:?} at {width}: {pair:?}");
            }
        }
    }
}

/// Whether the sources are a Git repository, whose commit the version contains.
fn is_checkout() -> bool {
    let output = std::process::Command::new("git").args(["rev-parse", "HEAD"]).output();
    output.is_ok_and(|output| output.status.success())
}

#[test]
fn help_and_version_are_printed() {
    let folder = Folder::new();
    let (code, help, _) = folder.run(&["--help"]);
    assert_eq!(code, 0);
    for command in ["check", "manifest", "run", "sandbox", "send", "sign", "completions", "man", "Exit status"] {
        assert!(help.contains(command), "{help}");
    }
    let version = folder.run(&["--version"]).1;
    let commit = version.strip_prefix(concat!("maitre ", env!("CARGO_PKG_VERSION"), " (")).unwrap();
    let commit = commit.strip_suffix(")\n").unwrap();
    let is_commit = commit.len() == 9 && commit.bytes().all(|byte| byte.is_ascii_hexdigit());
    assert!(is_commit || (commit == "unknown" && !is_checkout()), "{version}");
    assert_eq!(folder.run(&["chek"]).0, 2);
}
