"""Lowering: from a QONNX graph of float nodes to the integer dataflow network.

A graph is walked from its input to its scores (`walk`). Between one matrix product and the next lies a chain of scale,
bias, batch norm and quantiser (`chain`), a monotone step function of the integer accumulator; its thresholds are found
by executing the chain's own nodes (`operators`) on accumulators (`thresholds`), never by algebra on floats.

What is guaranteed. An accumulator ``a`` of a product of activations ``k * s`` and weights ``j * t`` (integers ``k``,
``j``, scales ``s``, ``t``) enters the chain as ``float32(float32(a * s) * t)``. Where ``s`` and ``t`` are powers of two
(1 included) and sums stay below 2**24, that is exactly what any float32 execution of the file computes, and the network
equals it to the last bit. With other scales, such as 1/3, a float32 sum carries a rounding error that depends on its
order; the network is then the one without that error, and differs from a float execution only where the chain is within
that error of a step, or where two classes have equal scores (then the first wins here, either there).
"""
