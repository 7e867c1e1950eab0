"""The instruments, on made-up trees and on the test's own process."""
