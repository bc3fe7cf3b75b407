//! The kernel's end: an epitaph on the debug console.

use core::panic::PanicInfo;

#[panic_handler]
fn panic(info: &PanicInfo<'_>) -> ! {
    let message = info.message();
    match info.location() {
        Some(place) => {
            let (file, line) = (place.file(), place.line());
            kamen_machine::stop(format_args!("panic at {file}:{line}: {message}"))
        }
        None => kamen_machine::stop(format_args!("panic: {message}")),
    }
}
