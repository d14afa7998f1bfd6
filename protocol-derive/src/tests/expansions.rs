//! Golden expansions: a change of the generated code shows in review.

use proc_macro2::TokenStream;
use syn::DeriveInput;

use crate::{data, error, event, protocol, set};

fn pretty(derive: fn(&DeriveInput) -> TokenStream, item: &str) -> String {
    let input = syn::parse_str(item).expect("an item");
    let file = syn::parse2(derive(&input)).expect("an expansion that parses");
    prettyplease::unparse(&file)
}

macro_rules! golden {
    ($name:ident, $derive:path, $item:literal) => {
        #[test]
        fn $name() {
            let expansion = pretty($derive, $item);
            insta::with_settings!({ omit_expression => true, description => $item }, {
                insta::assert_snapshot!(stringify!($name), expansion);
            });
        }
    };
}

golden!(
    event_pass,
    event::derive,
    r"
/// Somebody moved.
///
/// Sent ten times a second.
#[event(pass)]
pub struct Moved {
    pub x: f32,
    #[serde(default)]
    pub sprint: bool,
    pub trail: Vec<Self>,
}
"
);

golden!(
    event_pass_with_everything,
    event::derive,
    r#"
#[event(
    pass,
    name = "game.moved",
    error = MoveError,
    timeout = "2s",
    max_size = "4KiB",
    serde = manual,
    crate = "crate::core"
)]
struct Moved(f32, f32);
"#
);

golden!(
    event_request,
    event::derive,
    r"
#[event(request, response = Seated, error = SeatError, concurrent)]
struct TakeSeat {
    table: String,
}
"
);

golden!(
    event_request_without_error,
    event::derive,
    r"
#[event(request, response = table::Seated)]
struct r#Move;
"
);

golden!(
    event_response,
    event::derive,
    r#"
#[event(response)]
#[serde(rename_all = "camelCase")]
struct Seated {
    seat_number: u8,
    #[serde(with = "instant")]
    at: Instant,
}
"#
);

golden!(
    event_data,
    data::derive,
    r#"
enum Shape {
    Dot,
    Circle(f32),
    Line(Point, Point),
    #[serde(rename = "box")]
    Rectangle { corner: Point, width: f32 },
}
"#
);

golden!(
    event_data_of_itself,
    data::derive,
    r#"
#[serde(tag = "kind", rename_all = "camelCase")]
struct r#Tree {
    left_side: Option<Box<r#Tree>>,
    #[serde(default, rename = "right")]
    right_side: [Vec<Self>; Tree::SIDES],
    fruit: fruit::Tree,
}
"#
);

golden!(
    event_data_with_a_field_of_serde,
    data::derive,
    r#"
struct Seat(#[serde(default = "first")] u8, Option<Self>);
"#
);

golden!(
    event_set,
    set::derive,
    r"
/// What goes to a table.
pub enum ToTable {
    /// Somebody moved.
    Moved(Moved),
    TakeSeat(seats::TakeSeat),
}
"
);

golden!(
    protocol,
    protocol::derive,
    r#"
#[protocol(
    version = "1",
    to_server = (rendezvous::Login, (rendezvous::Rooms, ToTable)),
    to_peer = BetweenPlayers
)]
pub struct PokerNight;
"#
);

golden!(
    event_error,
    error::derive,
    r#"
enum SeatError {
    Full { #[serde(rename = "maximum")] max: u8 },
    #[event_error(code = "taken-by")]
    Taken(String),
    Far(u8, u8),
    Banned,
}
"#
);

golden!(
    event_error_with_a_field_of_serde,
    error::derive,
    r#"
enum SeatError {
    Full { #[serde(with = "count")] max: Count },
    Taken(String),
    Banned,
}
"#
);

golden!(
    event_error_without_data,
    error::derive,
    r"
enum SeatError {
    Full,
    Banned,
}
"
);

// What stands in for refused items: enough to type-check what uses them.

golden!(
    refused_event,
    event::derive,
    r#"
#[event(request, response = Seated, error = SeatError, name = "Take!")]
struct TakeSeat<T>
where
    T: Clone,
{
    table: T,
}
"#
);

golden!(
    refused_set,
    set::derive,
    r"
enum ToTable {
    Moved(Moved),
    Wave,
}
"
);

golden!(
    refused_protocol,
    protocol::derive,
    r"
#[protocol(to_server = ToTable, to_client = [FromTable])]
struct Poker;
"
);

golden!(
    refused_error,
    error::derive,
    r"
enum SeatError {
    Timeout { after: u8 },
}
"
);
