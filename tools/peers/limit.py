"""What without_avx512.py hides from this program."""
import ctypes


class Limit:
    """isa: what is left of the CPU, "avx2" or "avxvnni"; None where nothing is hidden."""

    def __init__(self):
        self.library = ctypes.CDLL(None)  # what is preloaded, if anything is
        self.isa = None
        if hasattr(self.library, "peers_isa"):
            self.library.peers_isa.restype = ctypes.c_char_p
            self.isa = self.library.peers_isa().decode()

    def require_kept(self):
        if self.isa is not None and self.library.avx512_was_used():
            raise RuntimeError(f"AVX-512 was used with the CPU held to {self.isa}: a library asks it in another way")
