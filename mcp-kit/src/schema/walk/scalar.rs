//! Texts and numbers, and the values that an `enum` lists.

use serde_json::Value;

use super::{Stop, Walk, Walked, must_be};
use crate::schema::node::{Node, Types};
use crate::schema::number::{Number, is_plain};
use crate::schema::words;
use crate::schema::words::Place;
use crate::support::json::to_text;

impl<'v> Walk<'v, '_> {
    /// Checks `enum`, `const` and the values that `not` forbids. Returns false
    /// if it reported a finding.
    pub(super) fn one_of_values(
        &mut self,
        node: &'v Node,
        place: Option<&Place<'_>>,
    ) -> Result<bool, Stop> {
        let start = self.cursor.pos();
        let is = |given: &Given<'_>, value: &Value| given.is(value);
        let given = if self.cursor.peek()? == b'"' {
            Given::Text(self.cursor.string()?.decode())
        } else {
            self.cursor.skip()?;
            Given::Other(self.cursor.slice(start, self.cursor.pos()))
        };
        self.burn((self.cursor.pos() - start) / 16)?;
        if node.forbidden.iter().any(|value| is(&given, value)) {
            self.wrong(place, || {
                format!(
                    "must not be {}",
                    words::list(node.forbidden.iter().map(to_text))
                )
            })?;
            return Ok(false);
        }
        let Some(allowed) = &node.allowed else {
            return Ok(true);
        };
        let also = matches!(&given, Given::Text(Some(text))
            if node.also_allowed.iter().any(|also| also == text));
        if also || allowed.iter().any(|value| is(&given, value)) {
            return Ok(true);
        }
        self.wrong(place, || {
            format!("must be {}", words::list(allowed.iter().map(to_text)))
        })?;
        Ok(false)
    }

    pub(super) fn text(&mut self, node: &'v Node, place: Option<&Place<'_>>) -> Walked {
        let raw = self.cursor.string()?;
        let Some(text) = raw.decode() else {
            return self.wrong(place, || "must be valid Unicode text".into());
        };
        let Some(rules) = &node.text else {
            return Ok(());
        };
        if rules.min.is_some() || rules.max.is_some() {
            let count = text.chars().count() as u64;
            self.bounds(
                count,
                rules.min,
                rules.max,
                "character",
                "characters",
                place,
            )?;
        }
        for said in &rules.rules {
            if !said.rule.holds(&text) {
                let why = || said.rule.why(&text).map(str::to_owned);
                self.wrong(place, || why().unwrap_or_else(|| said.says.clone()))?;
            }
        }
        for pattern in &rules.patterns {
            if !pattern.holds(&text) {
                self.wrong(place, || pattern.says.clone())?;
            }
        }
        Ok(())
    }

    pub(super) fn number(&mut self, node: &'v Node, place: Option<&Place<'_>>) -> Walked {
        let written = self.cursor.word()?;
        let Some(number) = Number::parse(written) else {
            return Err(Stop::Malformed);
        };
        let most = match node.single {
            true => f64::from(f32::MAX),
            false => f64::MAX,
        };
        if number.to_f64().abs() > most {
            return self.wrong(place, || "is too large a number".into());
        }
        if !node.types.meets(Types::FRACTION) {
            if !number.is_whole() {
                return self.wrong(place, || must_be(node));
            }
            // serde reads `1.0` and `-0` as floats.
            if self.strict && (!is_plain(written) || written == "-0") {
                return self.wrong(place, || {
                    "must be a whole number written without a decimal point or exponent".into()
                });
            }
        }
        for said in node.text.iter().flat_map(|text| &text.rules) {
            if !said.rule.holds_number(written) {
                self.wrong(place, || said.says.clone())?;
            }
        }
        let Some(bounds) = &node.number else {
            return Ok(());
        };
        if let Some(min) = bounds.min.filter(|min| number < *min) {
            self.wrong(place, || format!("must be at least {min}"))?;
        }
        if let Some(max) = bounds.max.filter(|max| number > *max) {
            self.wrong(place, || format!("must be at most {max}"))?;
        }
        if let Some(above) = bounds.above.filter(|above| number <= *above) {
            self.wrong(place, || format!("must be more than {above}"))?;
        }
        if let Some(below) = bounds.below.filter(|below| number >= *below) {
            self.wrong(place, || format!("must be less than {below}"))?;
        }
        if let Some(step) = bounds.step.filter(|step| !number.is_multiple_of(*step)) {
            self.wrong(place, || format!("must be a multiple of {step}"))?;
        }
        Ok(())
    }
}

/// A value for comparison with those of an `enum`.
enum Given<'t> {
    Text(Option<std::borrow::Cow<'t, str>>),
    Other(&'t str),
}

impl Given<'_> {
    fn is(&self, value: &Value) -> bool {
        match (self, value) {
            (Self::Text(text), Value::String(value)) => text.as_deref() == Some(value.as_str()),
            (Self::Text(_), _) => false,
            (Self::Other(text), Value::Number(_)) => {
                Number::parse(text).is_some_and(|given| Number::of(value) == Some(given))
            }
            (Self::Other(text), _) => {
                serde_json::from_str::<Value>(text).is_ok_and(|g| g == *value)
            }
        }
    }
}
