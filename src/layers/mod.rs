//! Plain structs of parameter ids with a `forward`; know nothing of tasks or text.
