# 64-bit ARM from another machine: Debian's cross compiler (g++-aarch64-linux-gnu), tests run by qemu-user on a CPU that
# has every extension, the dot product among them.
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR aarch64)
set(CMAKE_CXX_COMPILER aarch64-linux-gnu-g++)
set(CMAKE_CROSSCOMPILING_EMULATOR qemu-aarch64 -cpu max -L /usr/aarch64-linux-gnu)
