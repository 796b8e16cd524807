//! The fields of an invoice, chosen among the findings: what a bookkeeper would type off the page.
//!
//! Net, tax and total are chosen together, so that the first two make the third wherever the page allows it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::entity::{EntityType, Found, Role};
use super::number::from_cents;
use super::roles::Sum;

/// More candidates than this for one part are no invoice; the strongest are looked at.
const CANDIDATES: usize = 40;

/// What an invoice says. Each field is absent where the text does not name it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Fields {
    /// The number of the invoice.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub invoice_number: Option<String>,
    /// When it was written, as `2013-03-05`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub issue_date: Option<String>,
    /// By when to pay.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub due_date: Option<String>,
    /// ISO 4217 code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub currency: Option<String>,
    /// The sum without tax; the difference of the others where it is not written.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub net: Option<String>,
    /// The tax; the difference of the others where it is not written as one sum.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tax: Option<String>,
    /// The sum with tax.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub total: Option<String>,
    /// What is still to be paid: the total, where the text names no other sum.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub due: Option<String>,
    /// The account to pay to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub iban: Option<String>,
    /// The first VAT identification number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vat_id: Option<String>,
}

impl Fields {
    /// Chooses the fields. `found` and `sums` are in order of place.
    pub fn choose(found: &[Found], sums: &[Sum], currency: Option<&'static str>) -> Self {
        let best = |fits: &dyn Fn(&Found) -> bool| {
            let mut best: Option<&Found> = None;
            for one in found.iter().filter(|one| fits(one)) {
                if best.is_none_or(|known| one.confidence > known.confidence) {
                    best = Some(one);
                }
            }
            best.map(|one| one.value.clone())
        };
        let Totals { net, tax, total } = Totals::choose(sums);
        let due = strongest(&candidates(sums, Role::Due)).or(total);
        Self {
            invoice_number: best(&|one| one.kind == EntityType::InvoiceNumber),
            issue_date: best(&|one| one.role == Some(Role::IssueDate)),
            due_date: best(&|one| one.role == Some(Role::DueDate)),
            currency: currency.map(str::to_owned),
            net: net.map(from_cents),
            tax: tax.map(from_cents),
            total: total.map(from_cents),
            due: due.map(from_cents),
            iban: best(&|one| one.kind == EntityType::Iban),
            vat_id: best(&|one| one.kind == EntityType::VatId),
        }
    }

    /// Nothing was found.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

#[derive(Debug, Clone, Copy, Default)]
struct Totals {
    net: Option<i64>,
    tax: Option<i64>,
    total: Option<i64>,
}

impl Totals {
    fn choose(sums: &[Sum]) -> Self {
        let nets = candidates(sums, Role::Net);
        let taxes = candidates(sums, Role::Tax);
        let mut totals = candidates(sums, Role::Total);
        if totals.is_empty() {
            totals = candidates(sums, Role::Due);
        }
        Self::fitting(sums, &nets, &taxes, &totals).unwrap_or_else(|| Self::loose(&nets, &totals))
    }

    /// The strongest net, tax and total that add up; of equals the last on the page.
    fn fitting(sums: &[Sum], nets: &[(i64, f64)], taxes: &[(i64, f64)], totals: &[(i64, f64)]) -> Option<Self> {
        let mut best: Option<(f64, Self)> = None;
        for &(total, total_strength) in totals {
            for &(tax, tax_strength) in taxes.iter().filter(|&&(tax, _)| tax >= 0 && tax < total) {
                let net = total - tax;
                let named = nets.iter().filter(|&&(cents, _)| cents == net).map(|&(_, strength)| strength);
                let named =
                    named.fold(None, |best: Option<f64>, strength| Some(best.map_or(strength, |b| b.max(strength))));
                let written = sums.iter().any(|sum| sum.cents == net).then_some(0.3);
                let Some(net_strength) = named.or(written) else { continue };
                let strength = total_strength + tax_strength + net_strength;
                if best.is_none_or(|(known, _)| strength >= known) {
                    best = Some((strength, Self { net: Some(net), tax: Some(tax), total: Some(total) }));
                }
            }
        }
        best.map(|(_, totals)| totals)
    }

    /// The strongest total; the net beneath it if the difference can be a tax.
    fn loose(nets: &[(i64, f64)], totals: &[(i64, f64)]) -> Self {
        let Some(total) = strongest(totals) else { return Self { net: strongest(nets), ..Self::default() } };
        let can_be_net = |net: i64| net > 0 && net <= total && (total - net) * 10 <= net * 3;
        let nets: Vec<_> = nets.iter().copied().filter(|&(net, _)| can_be_net(net)).collect();
        let net = strongest(&nets);
        Self { net, tax: net.map(|net| total - net), total: Some(total) }
    }
}

fn candidates(sums: &[Sum], wanted: Role) -> Vec<(i64, f64)> {
    let of_role =
        sums.iter().filter_map(|sum| sum.role.filter(|&(role, _)| role == wanted).map(|(_, s)| (sum.cents, s)));
    let mut all: Vec<(i64, f64)> = of_role.collect();
    // A tax may be nothing; a total of nothing beside another total is a saving, a rounding, a rest.
    if wanted != Role::Tax && all.iter().any(|&(cents, _)| cents != 0) {
        all.retain(|&(cents, _)| cents != 0);
    }
    if all.len() > CANDIDATES {
        all.sort_by(|a, b| b.1.total_cmp(&a.1));
        all.truncate(CANDIDATES);
    }
    all
}

/// The clearest one; of equals the last on the page.
fn strongest(candidates: &[(i64, f64)]) -> Option<i64> {
    candidates.iter().max_by(|a, b| a.1.total_cmp(&b.1)).map(|&(cents, _)| cents)
}
