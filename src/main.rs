fn main() {
    std::process::exit(rfab::cli::main(std::env::args_os()).code().into());
}
