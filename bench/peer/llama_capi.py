"""The part of llama.cpp's C interface that comparisons need, through ctypes.

Works with any libllama whose public structs begin as declared here (checked:
builds 11434 and 11739); padding covers what follows, so a later field cannot
be cut off. Which library: the argument, else the environment variable
FATHOM_PEER_LIB, else the one inside the Python package llama-cpp-py-sync.
"""

import ctypes as c
import glob
import importlib.util
import os
import sys

MMAP, NO_MMAP = 1, 0  # enum llama_load_mode


class ModelParams(c.Structure):
    _fields_ = [
        ("devices", c.c_void_p),
        ("tensor_buft_overrides", c.c_void_p),
        ("n_gpu_layers", c.c_int32),
        ("split_mode", c.c_int),
        ("load_mode", c.c_int),
        ("lazy_mode", c.c_int),
        ("main_gpu", c.c_int32),
        ("tensor_split", c.c_void_p),
        ("progress_callback", c.c_void_p),
        ("progress_data", c.c_void_p),
        ("kv_overrides", c.c_void_p),
        ("vocab_only", c.c_bool),
        ("check_tensors", c.c_bool),
        ("use_extra_bufts", c.c_bool),
        ("later", c.c_char * 1024),
    ]


class ContextParams(c.Structure):
    _fields_ = (
        [
            (n, c.c_uint32)
            for n in (
                "n_ctx",
                "n_batch",
                "n_ubatch",
                "n_seq_max",
                "n_rs_seq",
                "n_outputs_max",
                "n_outputs_max_per_seq",
            )
        ]
        + [("n_threads", c.c_int32), ("n_threads_batch", c.c_int32)]
        + [
            (n, c.c_int)
            for n in (
                "ctx_type",
                "rope_scaling_type",
                "pooling_type",
                "attention_type",
                "flash_attn_type",
            )
        ]
        + [
            (n, c.c_float)
            for n in (
                "rope_freq_base",
                "rope_freq_scale",
                "yarn_ext_factor",
                "yarn_attn_factor",
                "yarn_beta_fast",
                "yarn_beta_slow",
            )
        ]
        + [
            ("yarn_orig_ctx", c.c_uint32),
            ("defrag_thold", c.c_float),
            ("cb_eval", c.c_void_p),
            ("cb_eval_user_data", c.c_void_p),
            ("type_k", c.c_int),
            ("type_v", c.c_int),
            ("later", c.c_char * 1024),
        ]
    )


class Batch(c.Structure):
    _fields_ = [
        ("n_tokens", c.c_int32),
        ("token", c.POINTER(c.c_int32)),
        ("embd", c.c_void_p),
        ("pos", c.POINTER(c.c_int32)),
        ("n_seq_id", c.POINTER(c.c_int32)),
        ("seq_id", c.POINTER(c.POINTER(c.c_int32))),
        ("logits", c.POINTER(c.c_int8)),
    ]


LOG = c.CFUNCTYPE(None, c.c_int, c.c_char_p, c.c_void_p)


def library_path():
    path = os.environ.get("FATHOM_PEER_LIB")
    if path:
        return path
    spec = importlib.util.find_spec("llama_cpp_py_sync")
    if not spec:
        sys.exit(
            "no libllama: set FATHOM_PEER_LIB or install llama-cpp-py-sync"
        )
    return os.path.join(os.path.dirname(spec.origin), "libllama.so")


class Llama:
    """A loaded libllama."""

    def __init__(self, path=None, quiet=True):
        self.path = path or library_path()
        folder = os.path.dirname(os.path.abspath(self.path))
        for shim in glob.glob(
            os.path.join(folder, "glibc_shim.so")
        ):  # for a library newer than libc
            c.CDLL(shim, mode=c.RTLD_GLOBAL)
        for name in (
            "libggml-base",
            "libggml-cpu",
            "libggml",
        ):  # those of this folder, no other
            for part in sorted(glob.glob(os.path.join(folder, name + ".so*")))[
                :1
            ]:
                c.CDLL(part, mode=c.RTLD_GLOBAL)
        lib = self.lib = c.CDLL(self.path, mode=c.RTLD_GLOBAL)
        p, s, i = c.c_void_p, c.c_char_p, c.c_int32

        def declare(name, result, *arguments):
            f = getattr(lib, name, None)  # a library may lack a few
            if f:
                f.restype, f.argtypes = result, arguments

        declare("llama_backend_init", None)
        declare("llama_print_system_info", s)
        declare("llama_log_set", None, LOG, p)
        declare("llama_model_default_params", ModelParams)
        declare("llama_context_default_params", ContextParams)
        declare("llama_model_load_from_file", p, s, ModelParams)
        declare("llama_model_free", None, p)
        declare("llama_init_from_model", p, p, ContextParams)
        declare("llama_free", None, p)
        declare("llama_model_get_vocab", p, p)
        declare("llama_vocab_n_tokens", i, p)
        declare("llama_model_size", c.c_uint64, p)
        declare("llama_model_n_params", c.c_uint64, p)
        declare("llama_model_desc", i, p, s, c.c_size_t)
        declare(
            "llama_tokenize", i, p, s, i, c.POINTER(i), i, c.c_bool, c.c_bool
        )
        declare("llama_get_memory", p, p)
        declare("llama_memory_clear", None, p, c.c_bool)
        declare("llama_batch_init", Batch, i, i, i)
        declare("llama_batch_free", None, Batch)
        declare("llama_decode", i, p, Batch)
        declare("llama_get_logits_ith", c.POINTER(c.c_float), p, i)
        declare("llama_synchronize", None, p)
        self._log = LOG(
            lambda level, text, data: (
                None if quiet else sys.stderr.buffer.write(text)
            )
        )
        lib.llama_log_set(self._log, None)
        lib.llama_backend_init()

    def system_info(self):
        return self.lib.llama_print_system_info().decode()


class Model:
    """A model and, if `context` is not 0, one sequence of that many tokens."""

    def __init__(
        self,
        llama,
        path,
        context=0,
        threads=1,
        mmap=True,
        batch=512,
        kv=None,
        flash=-1,
        vocab_only=False,
        repack=True,
    ):
        self.llama, lib = llama, llama.lib
        m = lib.llama_model_default_params()
        m.n_gpu_layers, m.vocab_only, m.use_extra_bufts = 0, vocab_only, repack
        m.load_mode = MMAP if mmap else NO_MMAP
        self.model = lib.llama_model_load_from_file(path.encode(), m)
        if not self.model:
            raise RuntimeError(f"llama.cpp cannot load {path}")
        self.vocab = lib.llama_model_get_vocab(self.model)
        self.words = lib.llama_vocab_n_tokens(self.vocab)
        self.context, self.used, self.batch = None, 0, None
        if context:
            p = lib.llama_context_default_params()
            p.n_ctx, p.n_batch, p.n_ubatch = (
                context,
                max(batch, 1),
                max(batch, 1),
            )
            p.n_threads = p.n_threads_batch = threads
            p.flash_attn_type = flash
            if kv is not None:
                p.type_k = p.type_v = kv  # ggml type: 0 F32, 1 F16
            self.context = lib.llama_init_from_model(self.model, p)
            if not self.context:
                raise RuntimeError("llama.cpp cannot make a context")
            self.step = batch
            self.batch = lib.llama_batch_init(batch, 0, 1)

    def tokenize(self, text, special=False, parse=False):
        data = text.encode("utf-8") if isinstance(text, str) else text
        out = (c.c_int32 * (len(data) + 8))()
        n = self.llama.lib.llama_tokenize(
            self.vocab, data, len(data), out, len(out), special, parse
        )
        if n < 0:
            raise RuntimeError("tokenize: buffer too small")
        return list(out[:n])

    def clear(self):
        self.llama.lib.llama_memory_clear(
            self.llama.lib.llama_get_memory(self.context), True
        )
        self.used = 0

    def feed(self, ids, rows="none"):
        """Decodes `ids` after what is there. Yields logits for rows "all" or "last"."""
        lib, b, out = self.llama.lib, self.batch, []
        for at in range(0, len(ids), self.step):
            part = ids[at : at + self.step]
            final = at + len(part) == len(ids)
            b.n_tokens = len(part)
            for i, token in enumerate(part):
                b.token[i], b.pos[i], b.n_seq_id[i] = token, self.used + i, 1
                b.seq_id[i][0] = 0
                b.logits[i] = rows == "all" or (final and i == len(part) - 1)
            if lib.llama_decode(self.context, b):
                raise RuntimeError("llama_decode failed")
            self.used += len(part)
            lib.llama_synchronize(self.context)
            if rows != "none":
                import numpy as np

                for i in range(len(part)):
                    if b.logits[i]:
                        row = lib.llama_get_logits_ith(self.context, i)
                        out.append(
                            np.ctypeslib.as_array(row, (self.words,)).copy()
                        )
        return out

    def describe(self):
        text = c.create_string_buffer(128)
        self.llama.lib.llama_model_desc(self.model, text, 128)
        return text.value.decode()

    def close(self):
        lib = self.llama.lib
        if self.context:
            lib.llama_batch_free(self.batch)
            lib.llama_free(self.context)
        lib.llama_model_free(self.model)
        self.model = self.context = None
