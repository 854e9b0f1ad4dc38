fn main() {
    let _ = maitre::Provisioned::new(641).with_config("LANTERN_SIZE", 3);
}
