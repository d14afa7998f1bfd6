//! What a call brings back: answers, refusals, limits and deadlines, over real sockets.

mod answers;
mod deadlines;
mod desk;
mod limits;
mod outward;
mod shapes;
mod versions;
