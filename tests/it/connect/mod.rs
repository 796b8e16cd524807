mod address;
mod guard;
mod limits;
mod redirects;
mod tls;
