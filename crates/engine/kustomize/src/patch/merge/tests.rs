//! Tests of what stands above.
