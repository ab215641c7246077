//! FastCGI
