//! Contacts by their names and numbers, the same for every engine.

use anyhow::Result;

use super::rows::{self, Cells, Reading, Value, contact_columns};
use crate::domain::{Contact, OrgId, folded};

pub(super) async fn find(reading: &mut impl Reading, org: &OrgId, like: &str, limit: u32) -> Result<Vec<Contact>> {
    let sql = concat!(
        "SELECT ",
        contact_columns!(),
        " FROM contacts c JOIN threads t ON t.org = c.org AND t.thread = c.thread
          WHERE c.org = $1 AND t.attached IS NULL
            AND (COALESCE(c.folded, LOWER(c.name)) LIKE $2 ESCAPE '!' OR c.phone LIKE $3 ESCAPE '!' OR c.contact = $4)
          ORDER BY t.active DESC, c.name, c.contact LIMIT $5"
    );
    let literally = folded(like).replace('!', "!!").replace('%', "!%").replace('_', "!_");
    let digits: String = like.chars().filter(char::is_ascii_digit).collect();
    let named = format!("%{literally}%");
    // Less than this would be in too many numbers, or is part of a name.
    let phoned = if digits.len() < 3 {
        String::new()
    } else {
        format!("%{digits}%")
    };
    let values = [
        Value::Text(org.as_str()),
        Value::Text(&named),
        Value::Text(&phoned),
        Value::Text(like),
        Value::Int(limit.into()),
    ];
    let found = reading.rows(sql, &values).await?;
    found.iter().map(|row| rows::contact(row, 0)).collect()
}

/// Folds the names of contacts that were stored before names were folded.
pub(super) async fn fold_names(writing: &mut impl Reading) -> Result<()> {
    loop {
        let sql = "SELECT org, contact, name FROM contacts WHERE folded IS NULL LIMIT 500";
        let found = writing.rows(sql, &[]).await?;
        for row in &found {
            let sql = "UPDATE contacts SET folded = $3 WHERE org = $1 AND contact = $2 RETURNING contact";
            let folded = folded(row.text(2)?);
            let values = [
                Value::Text(row.text(0)?),
                Value::Text(row.text(1)?),
                Value::Text(&folded),
            ];
            writing.rows(sql, &values).await?;
        }
        if found.is_empty() {
            return Ok(());
        }
    }
}
