//! The least-cost assignment of rows to columns: the Hungarian method with potentials, cubic in the larger side.

/// Returns for each row the column it is given, so that the sum of the costs is least. All rows are as long as there are rows.
pub(super) fn assign(costs: &[Vec<i64>]) -> Vec<usize> {
    let size = costs.len();
    // Rows and columns are counted from 1; column 0 stands for the row that is being placed.
    let (mut rows, mut columns) = (vec![0_i64; size + 1], vec![0_i64; size + 1]);
    let mut given = vec![0; size + 1];
    for row in 1..=size {
        given[0] = row;
        let way = shortest_way(costs, &mut rows, &mut columns, &given);
        let mut at = way.end;
        while at != 0 {
            let before = way.before[at];
            given[at] = given[before];
            at = before;
        }
    }
    let mut out = vec![0; size];
    for (column, row) in given.iter().enumerate().skip(1) {
        out[row - 1] = column - 1;
    }
    out
}

/// A way from the row to be placed to a free column.
struct Way {
    end: usize,
    before: Vec<usize>,
}

fn shortest_way(costs: &[Vec<i64>], rows: &mut [i64], columns: &mut [i64], given: &[usize]) -> Way {
    let size = costs.len();
    let mut least = vec![i64::MAX; size + 1];
    let mut before = vec![0; size + 1];
    let mut seen = vec![false; size + 1];
    let mut at = 0;
    loop {
        seen[at] = true;
        let row = given[at];
        let (mut step, mut next) = (i64::MAX, 0);
        for column in (1..=size).filter(|column| !seen[*column]) {
            let cost = costs[row - 1][column - 1] - rows[row] - columns[column];
            if cost < least[column] {
                (least[column], before[column]) = (cost, at);
            }
            if least[column] < step {
                (step, next) = (least[column], column);
            }
        }
        for column in 0..=size {
            if seen[column] {
                rows[given[column]] += step;
                columns[column] -= step;
            } else {
                least[column] -= step;
            }
        }
        at = next;
        if given[at] == 0 {
            return Way { end: at, before };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn sum(costs: &[Vec<i64>], given: &[usize]) -> i64 {
        given.iter().zip(costs).map(|(at, row)| row[*at]).sum()
    }

    /// Tries every order.
    fn least(costs: &[Vec<i64>], left: &mut Vec<usize>, row: usize) -> i64 {
        if row == costs.len() {
            return 0;
        }
        let mut best = i64::MAX;
        for at in 0..left.len() {
            let column = left.remove(at);
            best = best.min(costs[row][column] + least(costs, left, row + 1));
            left.insert(at, column);
        }
        best
    }

    proptest! {
        #[test]
        fn no_order_is_cheaper(costs in (0_usize..6).prop_flat_map(|size| {
            prop::collection::vec(prop::collection::vec(-50_i64..50, size), size)
        })) {
            let given = assign(&costs);
            let mut all: Vec<usize> = (0..costs.len()).collect();
            prop_assert_eq!(sum(&costs, &given), least(&costs, &mut all.clone(), 0));
            let mut sorted = given.clone();
            sorted.sort_unstable();
            all.sort_unstable();
            prop_assert_eq!(sorted, all);
        }
    }
}
