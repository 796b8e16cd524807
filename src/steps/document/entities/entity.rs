//! What is found: its kind, where it stands, what it means.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The kinds of entities, the most certain first: where two overlap, the earlier kind wins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum EntityType {
    /// An e-mail address, in lower case.
    Email,
    /// A web address.
    Url,
    /// A bank account number whose check digits hold, without spaces.
    Iban,
    /// A VAT identification number, without spaces.
    VatId,
    /// The number of an invoice, named as such.
    InvoiceNumber,
    /// A bank's code, named as such.
    Bic,
    /// A day, as `2013-03-05`.
    Date,
    /// An amount of money: an exact decimal number, the currency beside it.
    Amount,
    /// A telephone or fax number: digits, with `+` where the country is written.
    Phone,
    /// A firm or association, known by its legal form.
    Organisation,
    /// A person, known by the form of address.
    Person,
}

impl EntityType {
    /// All kinds.
    pub const ALL: [Self; 11] = [
        Self::Email,
        Self::Url,
        Self::Iban,
        Self::VatId,
        Self::InvoiceNumber,
        Self::Bic,
        Self::Date,
        Self::Amount,
        Self::Phone,
        Self::Organisation,
        Self::Person,
    ];
}

/// The part that a date or an amount plays in its document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// The sum without tax.
    Net,
    /// The tax.
    Tax,
    /// The sum with tax.
    Total,
    /// What is still to be paid.
    Due,
    /// The day the document was written.
    IssueDate,
    /// The day by which to pay.
    DueDate,
    /// The day of delivery or service.
    DeliveryDate,
}

/// One finding, as a span of bytes on character boundaries.
#[derive(Debug, Clone, PartialEq)]
pub struct Found {
    /// What it is.
    pub kind: EntityType,
    /// First byte.
    pub start: usize,
    /// Byte after the last.
    pub end: usize,
    /// What it means, in one form.
    pub value: String,
    /// How far the rule trusts itself, 0 to 1.
    pub confidence: f64,
    /// ISO 4217 code of an amount.
    pub currency: Option<&'static str>,
    /// Its part in the document.
    pub role: Option<Role>,
}

impl Found {
    /// A finding without currency and role.
    pub const fn new(kind: EntityType, span: (usize, usize), value: String, confidence: f64) -> Self {
        Self { kind, start: span.0, end: span.1, value, confidence, currency: None, role: None }
    }

    /// Whether the two share a byte.
    pub const fn overlaps(&self, start: usize, end: usize) -> bool {
        self.start < end && start < self.end
    }
}

/// An entity as it leaves the step.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Entity {
    /// What it is.
    #[serde(rename = "type")]
    pub kind: EntityType,
    /// As it stands in the text.
    pub text: String,
    /// What it means, in one form.
    pub value: String,
    /// The page it stands on, from 1; `None` where the text has no known pages.
    pub page: Option<u32>,
    /// How far the rule trusts itself, 0 to 1.
    pub confidence: f64,
    /// First character of the text, counted from 0 in characters (Unicode scalar values).
    pub start: usize,
    /// The character after the last.
    pub end: usize,
    /// ISO 4217 code of an amount.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub currency: Option<&'static str>,
    /// Its part in the document.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role: Option<Role>,
}
