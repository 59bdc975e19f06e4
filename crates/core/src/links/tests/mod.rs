//! The links as their readers see them.
