"""Keras 3 on its JAX backend: `fit` and `evaluate` with Keras's steps, compiled by spindle.jit."""

import os

os.environ.setdefault("KERAS_BACKEND", "jax")

import keras
from keras import layers
from mlp_digits import digits

BATCH = 32


def mlp():
    """Return the layers of an MLP 64-128-64-10 with dropout."""
    dense = [layers.Dense(128, "relu"), layers.Dense(64, "relu"), layers.Dense(10)]
    return [dense[0], layers.Dropout(0.2, seed=1), *dense[1:]]


def cnn():
    """Return the layers of a convolutional net with batch norm on 8x8 images."""
    conv = layers.Conv2D(8, 3, padding="same", use_bias=False)
    rest = [layers.BatchNormalization(), layers.ReLU(), layers.MaxPooling2D(), layers.Flatten()]
    return [layers.Reshape((8, 8, 1)), conv, *rest, layers.Dense(10)]


class Model(keras.Sequential):
    """A Sequential model whose steps `jit` compiles: spindle.jit, or jax.jit."""

    def __init__(self, net, jit):
        super().__init__([keras.Input((64,)), *net()])
        self.jit = jit

    def make_train_function(self, force=False):
        if self.train_function is None or force:
            step = self.jit(self.train_step, donate_argnums=0)
            self.train_function = lambda state, batches: step(state, next(batches))

    def make_test_function(self, force=False):
        if self.test_function is None or force:
            step = self.jit(self.test_step)
            self.test_function = lambda state, batches: step(state, next(batches))


def main(jit, net=cnn, epochs=10, n_train=1408, n_test=352, seed=0):
    """Train on whole batches of the digits; return (model, history, [test loss, accuracy])."""
    keras.utils.set_random_seed(seed)
    model = Model(net, jit)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(2e-3), loss, metrics=["accuracy"])
    (x, y), test = digits()
    history = model.fit(x[:n_train], y[:n_train], BATCH, epochs, verbose=2).history
    return model, history, model.evaluate(*(a[:n_test] for a in test), BATCH, verbose=0)


if __name__ == "__main__":
    import spindle

    print(main(spindle.jit)[2])
