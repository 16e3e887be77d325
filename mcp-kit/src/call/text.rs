//! The texts of a request that its call keeps until a handler or an observer reads
//! them. Most calls need none but the arguments.

/// The raw texts of a call, in one piece of memory.
#[derive(Clone)]
pub(crate) struct CallText {
    text: Option<Box<str>>,
    /// Where each text ends, in the order of [`CallTexts`]. JSON is never empty,
    /// so an empty text is an absent one.
    ends: [usize; 6],
}

/// The texts that a call keeps of its request, each as JSON.
#[derive(Clone, Copy, Default)]
pub(crate) struct CallTexts<'a> {
    pub(crate) arguments: Option<&'a str>,
    /// `clientInfo`, unless it is long.
    pub(crate) client: Option<&'a str>,
    /// `clientCapabilities`, if the call may ask, or is of an extension.
    pub(crate) capabilities: Option<&'a str>,
    /// `inputResponses`, if the call may ask.
    pub(crate) input_responses: Option<&'a str>,
    /// `requestState`, if the call may ask.
    pub(crate) request_state: Option<&'a str>,
    /// `_meta`, if it has members that are not the specification's.
    pub(crate) meta: Option<&'a str>,
}

impl CallText {
    pub(crate) fn new(texts: CallTexts<'_>) -> Self {
        let parts = [
            texts.arguments,
            texts.client,
            texts.capabilities,
            texts.input_responses,
            texts.request_state,
            texts.meta,
        ]
        .map(Option::unwrap_or_default);
        let mut end = 0;
        let ends = parts.map(|part| {
            end += part.len();
            end
        });
        let mut text = None;
        if end == parts[0].len() {
            text = texts.arguments.map(Box::from);
        } else {
            let mut joined = String::with_capacity(end);
            joined.extend(parts);
            text.replace(joined.into_boxed_str());
        }
        Self { text, ends }
    }

    fn part(&self, at: usize) -> Option<&str> {
        let start = at.checked_sub(1).map_or(0, |before| self.ends[before]);
        let part = self.text.as_deref()?.get(start..self.ends[at])?;
        (!part.is_empty()).then_some(part)
    }

    pub(super) fn arguments(&self) -> Option<&str> {
        self.part(0)
    }

    pub(super) fn client(&self) -> Option<&str> {
        self.part(1)
    }

    pub(super) fn capabilities(&self) -> Option<&str> {
        self.part(2)
    }

    pub(super) fn input_responses(&self) -> Option<&str> {
        self.part(3)
    }

    pub(super) fn request_state(&self) -> Option<&str> {
        self.part(4)
    }

    pub(super) fn meta(&self) -> Option<&str> {
        self.part(5)
    }

    pub(super) fn size(&self) -> usize {
        self.text.as_deref().map_or(0, str::len)
    }
}
