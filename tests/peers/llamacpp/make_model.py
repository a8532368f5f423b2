"""Writes a tiny llama with random weights as GGUF: a real server's model without any download.

make_model.py FILE
"""

import sys

import gguf
import numpy

EMBEDDING, LAYERS, HEADS, FORWARD, CONTEXT = 64, 2, 4, 128, 4096
WORDS = "the a to of and in is you that it for on with as at be hello world lens token"
NORMAL, UNKNOWN, CONTROL, BYTE = 1, 2, 3, 6


def vocabulary():
    """(text, type, score) of each token: control tokens, bytes, printable ASCII, some words."""
    yield from ((b"<unk>", UNKNOWN, 0.0), (b"<s>", CONTROL, 0.0), (b"</s>", CONTROL, 0.0))
    for byte in range(256):
        yield b"<0x%02X>" % byte, BYTE, 0.0
    space = "\u2581"
    pieces = [space, *map(chr, range(33, 127)), *(space + word for word in WORDS.split())]
    for rank, piece in enumerate(pieces, 1):
        yield piece.encode(), NORMAL, -float(rank)


def describe(writer, tokens):
    writer.add_name("lens-random-tiny")
    writer.add_context_length(CONTEXT)
    writer.add_embedding_length(EMBEDDING)
    writer.add_block_count(LAYERS)
    writer.add_feed_forward_length(FORWARD)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(HEADS)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_dimension_count(EMBEDDING // HEADS)
    writer.add_vocab_size(len(tokens))
    writer.add_file_type(0)
    writer.add_tokenizer_model("llama")
    writer.add_tokenizer_pre("default")
    writer.add_token_list([text for text, _, _ in tokens])
    writer.add_token_types([kind for _, kind, _ in tokens])
    writer.add_token_scores([score for _, _, score in tokens])
    writer.add_unk_token_id(0)
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    writer.add_add_bos_token(True)
    writer.add_add_eos_token(False)
    writer.add_chat_template(
        "{% for m in messages %}{{ m['role'] + ': ' + m['content'] + '\\n' }}{% endfor %}"
        "{% if add_generation_prompt %}{{ 'assistant: ' }}{% endif %}")


def fill(writer, tokens):
    random = numpy.random.default_rng(1)

    def noise(scale, *shape):
        return (random.standard_normal(shape) * scale).astype(numpy.float32)

    ones = numpy.ones(EMBEDDING, numpy.float32)
    output = noise(0.5, len(tokens), EMBEDDING)
    # Nothing but printable text is drawn, and hardly ever the end.
    output[[kind != NORMAL for _, kind, _ in tokens]] = 0
    writer.add_tensor("token_embd.weight", noise(0.5, len(tokens), EMBEDDING))
    writer.add_tensor("output_norm.weight", ones)
    writer.add_tensor("output.weight", output)
    for layer in range(LAYERS):
        prefix = f"blk.{layer}."
        for name in ("attn_norm", "ffn_norm"):
            writer.add_tensor(prefix + name + ".weight", ones)
        for name in ("attn_q", "attn_k", "attn_v", "attn_output"):
            writer.add_tensor(prefix + name + ".weight", noise(0.1, EMBEDDING, EMBEDDING))
        for name in ("ffn_gate", "ffn_up"):
            writer.add_tensor(prefix + name + ".weight", noise(0.1, FORWARD, EMBEDDING))
        writer.add_tensor(prefix + "ffn_down.weight", noise(0.1, EMBEDDING, FORWARD))


def main():
    tokens = list(vocabulary())
    writer = gguf.GGUFWriter(sys.argv[1], "llama")
    describe(writer, tokens)
    fill(writer, tokens)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


main()
