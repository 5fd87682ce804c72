//! The command line: what it refuses, and what it prints.

use std::path::Path;
use std::process::{Command, Output};

const SECRET: &str = "a-secret-of-more-than-thirty-two-bytes";

pub fn crewline(args: &[&str], env: &[(&str, &str)]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_crewline"));
    command.args(args);
    for (name, _) in std::env::vars().filter(|(name, _)| {
        ["CREWLINE_", "TWILIO_", "DATABASE_URL"]
            .iter()
            .any(|ours| name.starts_with(ours))
    }) {
        command.env_remove(name);
    }
    command.envs(env.iter().copied()).output().unwrap()
}

fn refused(args: &[&str], env: &[(&str, &str)]) -> String {
    let output = crewline(args, env);
    assert_eq!(output.status.code(), Some(2), "{args:?}: {output:?}");
    String::from_utf8(output.stderr).unwrap()
}

fn url(dir: &Path) -> String {
    format!("sqlite:{}", dir.join("crewline.db").display())
}

#[test]
fn serve_refuses_what_is_not_safe_with_one_sentence_each() {
    let secret = ("CREWLINE_JWT_SECRET", SECRET);
    for (env, named) in [
        (vec![], "set CREWLINE_JWT_SECRET"),
        (vec![("CREWLINE_JWT_SECRET", "short")], "jwt_secret has 5 bytes"),
        (
            vec![secret, ("CREWLINE_JWT_SECRET_OLD", "short")],
            "jwt_secret_old has 5 bytes",
        ),
        (vec![secret, ("CREWLINE_JWKS", "/nowhere.json")], "/nowhere.json"),
        (vec![secret, ("CREWLINE_DEMO_SIGN_IN", "true")], "demo_sign_in"),
        (vec![secret, ("DATABASE_URL", "mysql://x")], "database_url"),
        (
            vec![secret, ("CREWLINE_ORIGINS", "https://*.example")],
            "https://*.example",
        ),
        (vec![secret, ("CREWLINE_CONFIG", "/nowhere.toml")], "/nowhere.toml"),
        (vec![secret, ("CREWLINE_SWEEP_MS", "5")], "sweep_ms"),
        (
            vec![
                secret,
                ("TWILIO_ACCOUNT_SID", "ACaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"),
                ("TWILIO_AUTH_TOKEN", SECRET),
            ],
            "public_url is missing",
        ),
    ] {
        let error = refused(&["serve", "--listen", "127.0.0.1:0"], &env);
        assert!(error.contains(named), "{env:?}: {error}");
        assert_eq!(error.trim().lines().count(), 1, "{error}");
        assert!(!error.contains(SECRET));
    }
}

#[test]
fn the_demo_listens_on_loopback_only() {
    assert!(refused(&["demo", "--listen", "0.0.0.0:0"], &[]).contains("loopback"));
}

#[test]
fn help_and_readme_name_the_same_settings() {
    let help = String::from_utf8(crewline(&["serve", "--help"], &[]).stdout).unwrap();
    let readme = include_str!("../../README.md");
    let rows: Vec<_> = readme.lines().filter_map(|line| line.strip_prefix("| `--")).collect();
    assert!(rows.len() >= 12);
    for row in &rows {
        let mut cells = row.split('|').map(|cell| cell.trim().trim_matches('`'));
        let (flag, variable) = (cells.next().unwrap(), cells.next().unwrap());
        assert!(
            help.contains(&format!("--{flag} ")) && help.contains(variable),
            "{flag}"
        );
    }
    let variables: Vec<_> = help
        .split("[env: ")
        .skip(1)
        .map(|rest| rest.split(['=', ']']).next().unwrap())
        .collect();
    assert!(variables.len() > rows.len(), "{variables:?}");
    for variable in variables {
        assert!(
            readme.contains(&format!("`{variable}`")),
            "{variable} is not in the README"
        );
    }
}

#[test]
fn a_token_that_the_hub_would_refuse_is_not_printed() {
    let env = [("CREWLINE_JWT_SECRET", SECRET)];
    let token = |more: &[&str]| {
        let mut args = vec!["token", "--org", "acme", "--sub", "ana", "--name", "Ana"];
        args.extend(more);
        crewline(&args, &env)
    };
    let printed = token(&["--role", "customer", "--contact", "ana"]);
    assert!(printed.status.success());
    assert_eq!(String::from_utf8(printed.stdout).unwrap().split('.').count(), 3);
    assert_eq!(
        token(&["--role", "customer"]).status.code(),
        Some(2),
        "a customer without a contact"
    );
    assert_eq!(token(&["--role", "staff", "--contact", "ana"]).status.code(), Some(2));
    assert_eq!(
        token(&["--role", "staff", "--ttl-s", "-5"]).status.code(),
        Some(2),
        "expired already"
    );
}

#[test]
fn migrate_makes_the_log_and_gives_it_a_new_identity_only_when_asked() {
    let dir = tempfile::tempdir().unwrap();
    let log = |args: &[&str]| {
        let output = crewline(&[&["migrate", "--database-url", &url(dir.path())], args].concat(), &[]);
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout)
            .unwrap()
            .rsplit(' ')
            .next()
            .unwrap()
            .trim()
            .to_owned()
    };
    let first = log(&[]);
    assert_eq!(log(&[]), first);
    let second = log(&["--new-log"]);
    assert_ne!(second, first);
    assert_eq!(log(&[]), second);
}

#[test]
fn verify_says_what_it_cannot_open() {
    let dir = tempfile::tempdir().unwrap();
    assert!(refused(&["verify", "--data", dir.path().to_str().unwrap()], &[]).contains("no database"));
}
