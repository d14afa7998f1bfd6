//! Reads an input as a script: small numbers and pieces of bytes, one after the other. Knows nothing
//! of what they mean.

/// What is left of an input.
#[derive(Debug, Clone, Copy)]
pub struct Script<'a>(&'a [u8]);

impl<'a> Script<'a> {
    /// The whole of an input.
    pub fn new(input: &'a [u8]) -> Self {
        Self(input)
    }

    /// The next byte; none at the end.
    pub fn byte(&mut self) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*first)
    }

    /// The next byte as an argument, 0 behind the end.
    pub fn argument(&mut self) -> usize {
        self.byte().unwrap_or_default().into()
    }

    /// The next two bytes as an argument, 0 behind the end.
    pub fn wide_argument(&mut self) -> usize {
        self.argument() << 8 | self.argument()
    }

    /// The next `count` bytes, fewer at the end.
    pub fn bytes(&mut self, count: usize) -> &'a [u8] {
        let (taken, rest) = self.0.split_at(count.min(self.0.len()));
        self.0 = rest;
        taken
    }

    /// All that is left.
    pub fn rest(self) -> &'a [u8] {
        self.0
    }
}
