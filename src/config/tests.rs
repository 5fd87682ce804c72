//! What may be set, and what is refused.

use super::*;

fn read(toml: &str, flags: Flags) -> anyhow::Result<Settings> {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("crewline.toml");
    std::fs::write(&file, toml).unwrap();
    Settings::read(&Flags {
        config: Some(file),
        ..flags
    })
}

#[test]
fn flags_win_over_the_file_and_the_file_over_the_defaults() {
    let toml = "connections = 7\nframes_per_second = 9\n";
    let settings = read(
        toml,
        Flags {
            connections: Some(8),
            ..Flags::default()
        },
    )
    .unwrap();
    assert_eq!((settings.connections, settings.frames_per_second), (8, 9));
    assert_eq!(settings.listen, Settings::default().listen);
}

#[test]
fn what_cannot_be_meant_is_refused_with_its_name() {
    for (toml, named) in [
        ("conections = 7", "conections"),
        ("connections = 0", "connections"),
        ("sweep_ms = 1", "sweep_ms"),
        ("origins = ['crm.example']", "crm.example"),
        ("database_url = 'mysql://x'", "database_url"),
        ("jwt_secret = 'short'", "jwt_secret has"),
        ("jwt_secret_old = 'short'", "jwt_secret_old has"),
    ] {
        let error = format!("{:#}", read(toml, Flags::default()).unwrap_err());
        assert!(error.contains(named), "{toml}: {error}");
        assert!(!error.contains("'short'"), "a secret is never shown");
    }
}

#[test]
fn a_database_is_named_without_its_password() {
    for (url, named) in [
        ("sqlite:crewline.db", "crewline.db"),
        ("sqlite:///var/lib/crewline.db", "/var/lib/crewline.db"),
        (
            "postgres://app:p@ss@db.example:5433/crewline?sslmode=require",
            "postgres://db.example:5433/crewline",
        ),
        ("postgresql:///crewline", "postgres:///crewline"),
    ] {
        let settings = Settings {
            database_url: url.into(),
            ..Settings::default()
        };
        assert_eq!(settings.database().unwrap().to_string(), named);
    }
}

#[test]
fn photos_lie_beside_the_file_unless_it_is_said_where() {
    for (url, photos, place) in [
        ("sqlite:crewline.db", None, "photos"),
        ("sqlite:///var/lib/crewline.db", None, "/var/lib/photos"),
        ("postgres://db/crewline", None, "photos"),
        ("sqlite:crewline.db", Some("s3://bucket/x"), "s3://bucket/x"),
    ] {
        let settings = Settings {
            database_url: url.into(),
            photos: photos.map(str::to_owned),
            ..Settings::default()
        };
        assert_eq!(settings.photos().unwrap(), place);
    }
}

#[test]
fn production_wants_a_secret_and_no_demo_sign_in() {
    assert!(Settings::default().check_for_production().is_err());
    let settings = Settings {
        jwt_secret: Some("x".repeat(32).into()),
        ..Settings::default()
    };
    assert!(settings.check_for_production().is_ok());
    assert!(
        Settings {
            demo_sign_in: true,
            ..settings
        }
        .check_for_production()
        .is_err()
    );
}
