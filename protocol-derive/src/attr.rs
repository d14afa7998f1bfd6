//! Reads the lists inside attributes, `#[event(pass, name = "…")]`, and goes on after a mistake.
//!
//! Knows how keys and values are spelled, not what they mean together.

use proc_macro2::{TokenStream, TokenTree};
use syn::ext::IdentExt;
use syn::parse::{Parse, ParseStream, Parser};
use syn::{Attribute, Expr, ExprLit, Ident, Lit, LitStr, Meta, MetaNameValue, Token};

use crate::ctxt::Ctxt;

/// One thing that may stand in an attribute's list.
pub(crate) struct Spec<K> {
    /// How it is spelled.
    pub(crate) name: &'static str,
    /// How it is written out, for messages.
    pub(crate) form: &'static str,
    pub(crate) key: K,
}

/// A key as it was met.
pub(crate) struct Key<K> {
    pub(crate) ident: Ident,
    pub(crate) is: K,
    form: &'static str,
}

/// A key in a list that belongs to another derive.
pub(crate) struct Met {
    pub(crate) ident: Ident,
    /// Whether `=` follows.
    pub(crate) has_value: bool,
}

impl<K> Key<K> {
    /// Reads `= value`.
    pub(crate) fn value<T: Parse>(&self, input: ParseStream<'_>) -> syn::Result<T> {
        let form = self.form;
        if !input.peek(Token![=]) {
            return Err(syn::Error::new(
                self.ident.span(),
                format!("expected `{form}`"),
            ));
        }
        input.parse::<Token![=]>()?;
        if ends(input) {
            return Err(syn::Error::new(
                self.ident.span(),
                format!("expected `{form}`"),
            ));
        }
        let ahead = input.fork();
        input.parse().map_err(|_| wrong_value(&ahead, form))
    }

    /// Refuses a value behind a key that has none.
    pub(crate) fn flag(&self, input: ParseStream<'_>) -> syn::Result<()> {
        if ends(input) {
            return Ok(());
        }
        let message = format!("`{}` takes no value", self.ident);
        Err(syn::Error::new(self.ident.span(), message))
    }
}

/// Reads every `#[namespace(…)]` of `attrs`. A key that is unknown or met before is reported here;
/// `read` takes the value of any other.
///
/// Returns which known keys the unknown ones are likely to mean: these are not missing.
pub(crate) fn read<K: Copy>(
    cx: &Ctxt,
    attrs: &[Attribute],
    namespace: &str,
    specs: &[Spec<K>],
    mut read: impl FnMut(Key<K>, ParseStream<'_>) -> syn::Result<()>,
) -> Vec<K> {
    let (mut seen, mut meant) = (Vec::new(), Vec::new());
    for attr in attrs.iter().filter(|attr| attr.path().is_ident(namespace)) {
        let Meta::List(list) = &attr.meta else {
            let forms = forms(specs);
            cx.error(
                &attr.meta,
                format!("expected `#[{namespace}(…)]` with {forms}"),
            );
            continue;
        };
        let entries = |input: ParseStream<'_>| {
            while !input.is_empty() {
                if let Err(error) = entry(specs, &mut seen, &mut meant, &mut read, input) {
                    cx.push(error);
                    skip_entry(input);
                }
                if !input.is_empty() && input.parse::<Token![,]>().is_err() {
                    cx.push(syn::Error::new(input.span(), "expected `,`"));
                    skip_entry(input);
                    input.parse::<Option<Token![,]>>()?;
                }
            }
            Ok(())
        };
        if let Err(error) = entries.parse2(list.tokens.clone()) {
            cx.push(error);
        }
    }
    meant
}

/// The first `#[namespace…]`, to point at where something is missing.
pub(crate) fn first<'a>(attrs: &'a [Attribute], namespace: &str) -> Option<&'a Attribute> {
    attrs.iter().find(|attr| attr.path().is_ident(namespace))
}

/// Refuses attributes of `namespace` where none belongs.
pub(crate) fn refuse(cx: &Ctxt, attrs: &[Attribute], namespace: &str, message: &str) {
    if let Some(attr) = first(attrs, namespace) {
        cx.error(&attr.meta, message);
    }
}

/// The lines of the doc comment, each without the one space behind `///`.
pub(crate) fn docs(attrs: &[Attribute]) -> Vec<String> {
    let texts = attrs.iter().filter_map(|attr| match &attr.meta {
        Meta::NameValue(MetaNameValue {
            path,
            value:
                Expr::Lit(ExprLit {
                    lit: Lit::Str(text),
                    ..
                }),
            ..
        }) if path.is_ident("doc") => Some(text.value()),
        _ => None,
    });
    let text = texts.collect::<Vec<_>>().join("\n");
    text.lines()
        .map(|line| line.strip_prefix(' ').unwrap_or(line).trim_end().to_owned())
        .collect()
}

/// Whether an attribute's list names `key`, for lists that belong to another derive.
pub(crate) fn mentions(attrs: &[Attribute], namespace: &str, keys: &[&str]) -> bool {
    find(attrs, namespace, keys).is_some()
}

/// Whether an attribute's list names nothing but `keys`, for lists that belong to another derive.
pub(crate) fn has_only(attrs: &[Attribute], namespace: &str, keys: &[&str]) -> bool {
    let mut met = self::keys(attrs, namespace).into_iter();
    met.all(|met| keys.iter().any(|key| met.ident == key))
}

/// The first of `keys` that an attribute's list names, for lists that belong to another derive.
pub(crate) fn find(attrs: &[Attribute], namespace: &str, keys: &[&str]) -> Option<Ident> {
    let mut met = self::keys(attrs, namespace)
        .into_iter()
        .map(|key| key.ident);
    met.find(|ident| keys.iter().any(|key| ident == key))
}

/// The keys that an attribute's list names, for lists that belong to another derive.
pub(crate) fn keys(attrs: &[Attribute], namespace: &str) -> Vec<Met> {
    let mut keys: Vec<Met> = Vec::new();
    let lists = attrs.iter().filter(|attr| attr.path().is_ident(namespace));
    for list in lists.filter_map(|attr| attr.meta.require_list().ok()) {
        let mut starts_entry = true;
        let mut ends_key = false;
        for token in list.tokens.clone() {
            let is =
                |expected| matches!(&token, TokenTree::Punct(punct) if punct.as_char() == expected);
            if let Some(key) = keys.last_mut().filter(|_| ends_key) {
                key.has_value = is('=');
            }
            let begins = std::mem::replace(&mut starts_entry, is(','));
            ends_key = begins && matches!(token, TokenTree::Ident(_));
            if let TokenTree::Ident(ident) = token
                && begins
            {
                keys.push(Met {
                    ident,
                    has_value: false,
                });
            }
        }
    }
    keys
}

/// The value of `key` in attributes that are known to be wrong somewhere, for their stubs.
pub(crate) fn find_value<T: Parse>(attrs: &[Attribute], namespace: &str, key: &str) -> Option<T> {
    let value = |input: ParseStream<'_>| {
        let mut found = None;
        while !input.is_empty() {
            let is_key = input.peek(Ident::peek_any) && Ident::parse_any(&input.fork())? == key;
            input.parse::<TokenTree>()?;
            if is_key && found.is_none() && input.parse::<Option<Token![=]>>()?.is_some() {
                found = input.parse::<T>().ok();
            }
        }
        Ok(found)
    };
    let lists = attrs.iter().filter(|attr| attr.path().is_ident(namespace));
    lists
        .filter_map(|attr| attr.meta.require_list().ok())
        .find_map(|list| value.parse2(list.tokens.clone()).ok().flatten())
}

fn entry<K: Copy>(
    specs: &[Spec<K>],
    seen: &mut Vec<&'static str>,
    meant: &mut Vec<K>,
    read: &mut impl FnMut(Key<K>, ParseStream<'_>) -> syn::Result<()>,
    input: ParseStream<'_>,
) -> syn::Result<()> {
    if !input.peek(Ident::peek_any) {
        return Err(syn::Error::new(
            input.span(),
            format!("expected {}", forms(specs)),
        ));
    }
    let ident = Ident::parse_any(input)?;
    let has_value = input.peek(Token![=]);
    let Some(spec) = named(specs, &ident.to_string(), has_value) else {
        let near = nearest(specs, &ident.to_string());
        let near = near.and_then(|name| named(specs, name, has_value));
        meant.extend(near.map(|spec| spec.key));
        let name = near.map(|spec| spec.name);
        return Err(syn::Error::new(ident.span(), unknown(&ident, name, specs)));
    };
    if seen.contains(&spec.form) {
        let message = format!("`{ident}` is given twice: keep one");
        return Err(syn::Error::new(ident.span(), message));
    }
    seen.push(spec.form);
    let key = Key {
        ident,
        form: spec.form,
        is: spec.key,
    };
    read(key, input)
}

fn skip_entry(input: ParseStream<'_>) {
    while !ends(input) && input.parse::<TokenTree>().is_ok() {}
}

fn ends(input: ParseStream<'_>) -> bool {
    input.is_empty() || input.peek(Token![,])
}

/// Points at what was parsed as far as it went: the literal or type that does not fit.
fn wrong_value(ahead: ParseStream<'_>, form: &str) -> syn::Error {
    let mut value = TokenStream::new();
    while !ends(ahead) {
        match ahead.parse::<TokenTree>() {
            Ok(token) => value.extend([token]),
            Err(_) => break,
        }
    }
    syn::Error::new_spanned(value, format!("expected `{form}`"))
}

/// One name can stand for a flag and, with a value, for something else.
fn named<'a, K>(specs: &'a [Spec<K>], name: &str, has_value: bool) -> Option<&'a Spec<K>> {
    let named = || specs.iter().filter(|spec| spec.name == name);
    let exact = named().find(|spec| spec.form.contains('=') == has_value);
    exact.or_else(|| named().next())
}

/// The name that a misspelled one is likely to mean.
fn nearest<K>(specs: &[Spec<K>], name: &str) -> Option<&'static str> {
    let near = specs
        .iter()
        .map(|spec| spec.name)
        .filter(|known| distance(name, known) <= 2);
    near.min_by_key(|known| distance(name, known))
}

fn unknown<K>(ident: &Ident, near: Option<&str>, specs: &[Spec<K>]) -> String {
    let hint = match near {
        Some(known) => format!(" (did you mean `{known}`?)"),
        None => String::new(),
    };
    format!(
        "unknown attribute `{ident}`{hint}: expected {}",
        forms(specs)
    )
}

fn forms<K>(specs: &[Spec<K>]) -> String {
    let forms: Vec<_> = specs
        .iter()
        .map(|spec| format!("`{}`", spec.form))
        .collect();
    match forms.as_slice() {
        [only] => only.clone(),
        forms => format!("one of {}", forms.join(", ")),
    }
}

/// How many characters have to be put in, taken out or replaced (Levenshtein).
fn distance(left: &str, right: &str) -> usize {
    let right: Vec<char> = right.chars().collect();
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (l, left) in left.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = l + 1;
        for (r, right) in right.iter().enumerate() {
            let replaced = diagonal + usize::from(left != *right);
            diagonal = row[r + 1];
            row[r + 1] = replaced.min(row[r] + 1).min(diagonal + 1);
        }
    }
    row[right.len()]
}

/// A string with a number and a unit: `"2s"`, `"4KiB"`.
pub(crate) fn quantity(literal: &LitStr, units: &[(&str, u64)]) -> Option<u64> {
    let text = literal.value();
    let digits = text.find(|c: char| !c.is_ascii_digit())?;
    let (number, unit) = text.split_at(digits);
    let (_, factor) = units.iter().find(|(name, _)| *name == unit)?;
    number
        .parse::<u64>()
        .ok()?
        .checked_mul(*factor)
        .filter(|&quantity| quantity > 0)
}
