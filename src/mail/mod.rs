//! Bytes to message and back: headers, subject, body, diff, trailers, mbox. Pure functions, no I/O.
