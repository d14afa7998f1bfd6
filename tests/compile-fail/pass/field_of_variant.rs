use protocol_core::EventData;

#[derive(EventData)]
enum Shape {
    Dot,
    Line(Point, f32),
    Circle { center: Point, radius: f32 },
}

#[derive(EventData)]
struct Point {
    x: f32,
    y: f32,
}

fn main() {}
