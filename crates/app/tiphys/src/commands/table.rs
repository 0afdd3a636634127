//! Tables in the layout that Go's tabwriter gives.
//!
//! A cell that something follows is as wide as the widest of its column plus the padding; a
//! column ends at the first line that has no such cell. The last cell of a line is never padded.

use super::colour::Colour;

/// Between a column's widest cell and the next column.
const PADDING: usize = 2;

/// Lines of cells, and how wide a column is at least.
#[derive(Debug, Default)]
pub struct Table {
    lines: Vec<Vec<String>>,
    width_min: usize,
}

impl Table {
    /// An empty table whose columns are at least `width_min` wide.
    pub fn with_columns_of(width_min: usize) -> Self {
        Self { lines: Vec::new(), width_min }
    }

    /// A table that begins with a line of headings.
    pub fn headed<S: AsRef<str>>(headings: &[S]) -> Self {
        let mut table = Self::default();
        table.line(headings.iter().map(|heading| heading.as_ref().to_owned()));
        table
    }

    /// Adds a line.
    pub fn line(&mut self, cells: impl IntoIterator<Item = String>) {
        // A line break in a cell would be a line of the table.
        let cells = cells.into_iter().map(|cell| cell.replace('\n', " "));
        self.lines.push(cells.collect());
    }

    /// Whether nothing was added.
    pub fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// The table as text, each line with its end.
    pub fn print(&self, colour: Colour) -> String {
        let widths = self.widths();
        let mut text = String::new();
        for (line, widths) in self.lines.iter().zip(&widths) {
            for (index, cell) in line.iter().enumerate() {
                text.push_str(&colour.word(cell));
                if let Some(width) = widths.get(index) {
                    let blanks = width.saturating_sub(cell.chars().count());
                    text.extend(std::iter::repeat_n(' ', blanks));
                }
            }
            text.push('\n');
        }
        text
    }

    /// Of each line, the widths of the cells that something follows.
    fn widths(&self) -> Vec<Vec<usize>> {
        let followed = |line: &Vec<String>| line.len().saturating_sub(1);
        let mut widths: Vec<Vec<usize>> =
            self.lines.iter().map(|line| vec![0; followed(line)]).collect();
        let columns = self.lines.iter().map(followed).max().unwrap_or_default();
        for column in 0..columns {
            let mut first = 0;
            while first < self.lines.len() {
                let rest = &self.lines[first..];
                let run = rest.iter().take_while(|line| followed(line) > column).count();
                let widest = rest[..run].iter().map(|line| line[column].chars().count()).max();
                let width = (widest.unwrap_or_default() + PADDING).max(self.width_min);
                widths[first..first + run].iter_mut().for_each(|line| line[column] = width);
                first += run + 1;
            }
        }
        widths
    }
}
