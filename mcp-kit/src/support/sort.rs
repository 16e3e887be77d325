//! Sorting, compiled once. Each type that std sorts puts 5 to 12 kB into the binary of a server.

use std::cmp::Ordering;

/// Sorts values and keeps the order of those that are equal.
pub(crate) fn sort_by<T: Default>(values: &mut [T], compare: &dyn Fn(&T, &T) -> Ordering) {
    let order = order(values.len(), &|a, b| compare(&values[a], &values[b]));
    let mut sorted = Vec::with_capacity(values.len());
    for index in order {
        sorted.push(std::mem::take(&mut values[index]));
    }
    for (value, sorted) in values.iter_mut().zip(sorted) {
        *value = sorted;
    }
}

/// Returns the indices below `len`, sorted by what is at them.
pub(crate) fn order(len: usize, compare: &dyn Fn(usize, usize) -> Ordering) -> Vec<usize> {
    let mut order: Vec<usize> = (0..len).collect();
    order.sort_by(|a, b| compare(*a, *b));
    order
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_values_keep_their_order() {
        let mut words = ["pear", "fig", "plum", "", "kiwi"].map(str::to_owned);
        sort_by(&mut words, &|a, b| a.len().cmp(&b.len()));
        assert_eq!(words, ["", "fig", "pear", "plum", "kiwi"]);
    }
}
