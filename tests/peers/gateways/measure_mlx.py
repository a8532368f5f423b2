"""Measures mlx-lm's server, which speaks HTTP/1.0 and sends comments before the first data line.

measure_mlx.py PROGRAM [UNITTEST ARGUMENTS]
"""

import json
import os
import sys
import tempfile
import unittest

import numpy
from safetensors.numpy import save_file
from tokenizers import Tokenizer, decoders, models, pre_tokenizers

from gateway import free_port, serve
from harness import Case

PROGRAM = sys.argv.pop(1)
TOKENS = 6
VOCABULARY, WIDTH, LAYERS, HEADS, INNER = 320, 64, 2, 4, 128


def make_tokenizer(path):
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    words = {letter: i for i, letter in enumerate(["!!"] + alphabet)}
    tokenizer = Tokenizer(models.BPE(vocab=words, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.save(path)


def make_model(folder):
    """A random llama of two layers."""
    draw = numpy.random.default_rng(1)

    def weights(*shape):
        return (draw.standard_normal(shape) * 0.3).astype(numpy.float32)

    def write(name, content):
        with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
            json.dump(content, file)

    write("config.json", {
        "architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_size": WIDTH,
        "intermediate_size": INNER, "num_hidden_layers": LAYERS, "num_attention_heads": HEADS,
        "num_key_value_heads": HEADS, "vocab_size": VOCABULARY, "rms_norm_eps": 1e-5,
        "rope_theta": 10000.0, "max_position_embeddings": 2048, "tie_word_embeddings": False,
        "torch_dtype": "float32", "bos_token_id": 0, "eos_token_id": 0, "hidden_act": "silu"})
    make_tokenizer(os.path.join(folder, "tokenizer.json"))
    write("tokenizer_config.json", {
        "tokenizer_class": "PreTrainedTokenizerFast", "eos_token": "!!",
        "chat_template": "{% for m in messages %}{{ m['role'] + ': ' + m['content'] }}{% endfor %}"})
    tensors = {"model.embed_tokens.weight": weights(VOCABULARY, WIDTH),
               "model.norm.weight": numpy.ones(WIDTH, numpy.float32),
               "lm_head.weight": weights(VOCABULARY, WIDTH)}
    for i in range(LAYERS):
        base = f"model.layers.{i}."
        for name, shape in (("self_attn.q_proj", (WIDTH, WIDTH)), ("self_attn.k_proj", (WIDTH, WIDTH)),
                            ("self_attn.v_proj", (WIDTH, WIDTH)), ("self_attn.o_proj", (WIDTH, WIDTH)),
                            ("mlp.gate_proj", (INNER, WIDTH)), ("mlp.up_proj", (INNER, WIDTH)),
                            ("mlp.down_proj", (WIDTH, INNER))):
            tensors[base + name + ".weight"] = weights(*shape)
        for name in "input_layernorm", "post_attention_layernorm":
            tensors[base + name + ".weight"] = numpy.ones(WIDTH, numpy.float32)
    save_file(tensors, os.path.join(folder, "model.safetensors"), metadata={"format": "pt"})


class Mlx(Case):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        make_model(folder.name)
        port = free_port()
        cls.url = f"http://127.0.0.1:{port}"
        serve(cls, [PROGRAM, "--model", folder.name, "--host", "127.0.0.1", "--port", str(port)],
              cls.url + "/health")

    def test_streamed_over_http_1_0(self):
        first = self.run_json(self.url, "-m", "default_model", "--max-tokens", TOKENS,
                              "-n", 4).first
        self.assertEqual(first["requests"]["ok"], 4, first["requests"])
        self.assertEqual(first["tokens"]["unknown_requests"], 0)
        self.assertLessEqual(first["tokens"]["output"], 4 * TOKENS)
        self.assertGreater(first["tokens"]["input"], 0)
        # The body ends with the connection: none is used twice.
        self.assertEqual(first["client"]["reuse_ratio"], 0)
        # A comment is a byte, but no token.
        for ttfb, first_output in self.sample_rows(
                "first_byte_ns - departure_ns, first_output_ns - departure_ns"):
            self.assertGreater(first_output, ttfb)

    def test_whole(self):
        first = self.run_json(self.url, "-m", "default_model", "--max-tokens", TOKENS,
                              "--no-stream", "-n", 2).first
        self.assertEqual(first["requests"]["ok"], 2, first["requests"])
        self.assertEqual(first["tokens"]["unknown_requests"], 0)


if __name__ == "__main__":
    unittest.main()
