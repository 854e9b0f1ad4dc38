fn main() {
    let _ = maitre::Provisioned::new(641).config("LANTERN_SIZE", 3);
}
